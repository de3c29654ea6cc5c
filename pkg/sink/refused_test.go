package sink

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Found with a worker that gave a reason for a task that was done: the ledger refused the batch, and nothing was
// committed ever after.
func TestResultThatTheLedgerWouldRefuseIsAFailureOfThatTaskAlone(t *testing.T) {
	s := newStage(t)
	for name, spoil := range map[string]func(*wire.Result){
		"a run with a NUL":   func(r *wire.Result) { r.Run = "r\x00" },
		"an id of zeros":     func(r *wire.Result) { r.ID = strings.Repeat("0", 32) },
		"a format of 100 kB": func(r *wire.Result) { r.Format = strings.Repeat("x", 100_000) },
		"a negative width":   func(r *wire.Result) { r.Width = -1 },
		"a reason, and done": func(r *wire.Result) { r.Reason = outcome.Timeout },
	} {
		bad := done(1)
		spoil(bad)
		s.send(bad.Encode())
		if r := s.await(wire.TopicTaskFailed).(*wire.Receipt); r.Detail == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	s.send(done(2).Encode())
	s.await(wire.TopicTaskDone)
}

func TestSettlementThatTheLedgerWouldRefuseIsRefusedToItsVentilator(t *testing.T) {
	s := newStage(t)
	dead := wire.Receipt{ID: idOf(1), Run: "r", Filename: "a.jpg", Outcome: outcome.Dead}
	for name, spoil := range map[string]func(*wire.Receipt){
		"a run with a NUL": func(r *wire.Receipt) { r.Run = "r\x00" },
		"an id of zeros":   func(r *wire.Receipt) { r.ID = strings.Repeat("0", 32) },
		"an unnamed output": func(r *wire.Receipt) {
			r.Outcome, r.Stranger, r.Outputs = outcome.Done, true, []wire.OutputInfo{{}}
		},
		"a reason, and dead":   func(r *wire.Receipt) { r.Reason = outcome.Timeout },
		"deliveries below 0":   func(r *wire.Receipt) { r.Delivery = -1 },
		"a worker of 100 kB":   func(r *wire.Receipt) { r.Worker = strings.Repeat("x", 100_000) },
		"an input of -1 bytes": func(r *wire.Receipt) { r.Bytes = -1 },
	} {
		bad := dead
		spoil(&bad)
		var refused *sinkclient.RefusedError
		if _, err := s.client.Settle(t.Context(), []wire.Receipt{bad}); !errors.As(err, &refused) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if got, err := s.client.Settle(t.Context(), []wire.Receipt{dead}); err != nil || len(got) != 1 ||
		time.Since(got[0].At) > time.Minute {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSinkWhoseLedgerFailsForGoodEnds(t *testing.T) {
	dir, err := blob.OpenDir(t.TempDir(), blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	book, err := ledger.Open(filepath.Join(t.TempDir(), "ledger.db"), ledger.Config{})
	if err != nil {
		t.Fatal(err)
	}
	network := zsock.Network{Inproc: zsock.NewInproc()}
	s, err := New(Config{Results: "inproc://r", Events: "inproc://e", Control: "inproc://c", Network: network, Out: dir,
		Ledger: book})
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(t.Context()) }()
	push, err := zsock.NewPush(zsock.Config{Network: network})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(push.Dial("inproc://r"), push.Send(t.Context(), zsock.Message{done(1).Encode()})); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err == nil || !strings.Contains(err.Error(), "committed") {
			t.Errorf("it ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("it goes on though nothing can be committed")
	}
	if err := push.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
