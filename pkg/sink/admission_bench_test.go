package sink

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// BenchmarkAdmission measures what tickets, names of outputs and the look at the ledger cost the sink for each result.
func BenchmarkAdmission(b *testing.B) {
	dir, err := blob.OpenDir(b.TempDir(), blob.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	book, err := ledger.Open(filepath.Join(b.TempDir(), "ledger.db"), ledger.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer book.Close()
	s, err := New(Config{Results: "inproc://r", Events: "inproc://e", Control: "inproc://c", Out: dir, Ledger: book})
	if err != nil {
		b.Fatal(err)
	}
	now, key := time.Now(), wire.TicketKey(wire.NewRunKey())
	w := wire.WorkerIdentity{Name: "w1", Slots: 1, Prefetch: 1, Token: wire.NewToken()}
	s.runs.update(wire.Run{ID: "r", Started: now}, caller{}, now)
	s.runs.setKey("r", key, false)
	r := &wire.Result{ID: idOf(1), Filename: "roll01/photo001.jpg", Outcome: outcome.Done,
		ResultInfo: wire.ResultInfo{Worker: "w1", Run: "r", Delivery: 1, Recipe: recipe.Default().String()}}
	for _, name := range recipe.Default().OutputNames(r.Filename) {
		r.Outputs = append(r.Outputs, wire.Output{Name: name})
	}
	r.Ticket = wire.NewTickets(key).Of(wire.TicketOf{ID: r.ID, Filename: r.Filename, Recipe: r.Recipe, Delivery: 1,
		Proof: w.Proof()})
	a := newAdmission(s.core)
	peer := zsock.PeerInfo{ID: 1, Identity: w.String()}
	id, _ := taskid.Parse(r.ID)
	b.Run("admit", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := a.result(r, a.sender(peer)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("claim", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.claims.take(claimOf(r))
			s.claims.release(claimOf(r))
		}
	})
	b.Run("look", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.writers.settledBy(b.Context(), "r", id); err != nil {
				b.Fatal(err)
			}
		}
	})
}
