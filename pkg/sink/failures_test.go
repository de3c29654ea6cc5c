package sink

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestFailedDeliveriesCanBeAskedFor(t *testing.T) {
	s := newStage(t)
	run := wire.Run{ID: "r", State: "running", Started: time.Now()}
	tell := func() {
		t.Helper()
		if _, err := s.client.TellRun(t.Context(), &run); err != nil {
			t.Fatal(err)
		}
	}
	tell()
	failed := done(1)
	failed.Outcome, failed.Outputs, failed.Detail, failed.Run, failed.Delivery = outcome.Failed, nil, "no disk", "r", 2
	s.send(failed.Encode())
	s.await(wire.TopicTaskFailed)
	tell() // the same run goes on
	ask := func() wire.Receipts {
		t.Helper()
		id, _ := taskid.Parse(idOf(1))
		got, err := s.client.Settled(t.Context(), []taskid.ID{id}, false)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := ask()
	if len(got.Receipts) != 0 || got.Instance == "" || got.Instance != s.sink.Status().Instance || len(got.Failed) != 1 {
		t.Fatalf("it answers %+v", got)
	}
	if f := got.Failed[0]; f.Outcome != outcome.Failed || f.Delivery != 2 || f.Run != "r" || f.Detail != "no disk" {
		t.Errorf("it remembers %+v", f)
	}
	run.Started = run.Started.Add(time.Minute) // the ventilator began again and counts its deliveries again
	tell()
	if got := ask(); len(got.Failed) != 0 {
		t.Errorf("it still says %+v", got.Failed)
	}
}

func TestFewFailuresAreRemembered(t *testing.T) {
	var f failures
	const n = 10 * maxFailures
	for i := range n {
		f.add(&wire.Receipt{ID: fmt.Sprint(i), Detail: strings.Repeat("é", maxFailureDetail)})
	}
	if kept := len(f.young) + len(f.aged); kept < maxFailures || kept > 2*maxFailures {
		t.Errorf("%d of %d are kept", kept, n)
	}
	for i := n - maxFailures; i < n; i++ {
		r, ok := f.of(fmt.Sprint(i))
		if !ok || len(r.Detail) > maxFailureDetail+len("…") {
			t.Fatalf("failure %d: %v, %d bytes of detail", i, ok, len(r.Detail))
		}
	}
}
