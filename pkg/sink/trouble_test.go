package sink

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// On a disk that is nearly full small outputs find room beside a large one that does not.
func TestTroubleLastsAsLongAsOneStageIsStuck(t *testing.T) {
	s := newStage(t).sink
	synctest.Test(t, func(t *testing.T) {
		full := fmt.Errorf("no room: %w", blob.ErrUnavailable)
		var healed atomic.Bool
		over := make(chan error, 1)
		go func() {
			over <- s.retryDisk(context.Background(), "outputs", func() error {
				if healed.Load() {
					return nil
				}
				return full
			})
		}()
		synctest.Wait()
		if err := s.retryDisk(context.Background(), "outputs", func() error { return nil }); err != nil {
			t.Error(err)
		}
		if got := s.Status().Trouble; got != full.Error() {
			t.Errorf("after a small output was written the trouble is %q", got)
		}
		if err := s.Ready(); err == nil {
			t.Error("it says that it is ready")
		}
		healed.Store(true)
		time.Sleep(blob.Pause) // virtual
		if err := <-over; err != nil || s.Status().Trouble != "" {
			t.Errorf("healed: %v, trouble %q", err, s.Status().Trouble)
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errors.New("cut"))
		if err := s.retryDisk(ctx, "outputs", func() error { return full }); err == nil || err.Error() != "cut" ||
			s.Status().Trouble != "" {
			t.Errorf("cut: %v, trouble %q", err, s.Status().Trouble)
		}
	})
}

// A question about few entries among very many does not keep the next asker waiting.
func TestPagesOfRareEntriesMayBeShort(t *testing.T) {
	s := newStage(t).sink
	const n = maxSeen + 10
	entries := make([]ledger.Entry, 0, 4096)
	for i := range n {
		e, err := entryOf(&wire.Receipt{ID: idOf(i), Filename: fmt.Sprint(i, ".jpg"), Outcome: "done", Run: "common",
			At: time.Now()}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 3 || i == n-1 {
			e.Run = "rare"
		}
		if entries = append(entries, e); len(entries) == cap(entries) || i == n-1 {
			if _, err := s.cfg.Ledger.Append(entries); err != nil {
				t.Fatal(err)
			}
			entries = entries[:0]
		}
	}
	var found []int
	for args := (wire.EntriesArgs{Run: "rare"}); ; {
		page, err := s.reader().Entries(t.Context(), args)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, len(page.Entries))
		if args.After = page.Next; args.After == "" {
			break
		}
	}
	if fmt.Sprint(found) != "[1 1]" {
		t.Errorf("the pages have %v entries", found)
	}
}
