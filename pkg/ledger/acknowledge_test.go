package ledger

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestAcknowledgedRejectionStaysSoUntilItsTaskIsSettledAgain(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, rejectedEntry(1, "r1", outcome.Truncated), rejectedEntry(2, "r1", outcome.Corrupt), testEntry(3))
	n, err := l.Acknowledge(Filter{Reasons: []outcome.Reason{outcome.Truncated}}, time.Unix(1000, 0))
	if n != 1 || err != nil {
		t.Fatalf("%d acknowledged, %v", n, err)
	}
	acknowledged := func(n int) bool {
		t.Helper()
		e, ok, err := l.Lookup(testID(n))
		if err != nil || !ok {
			t.Fatalf("task %d: %v, %v", n, ok, err)
		}
		return e.Acknowledged
	}
	if !acknowledged(1) || acknowledged(2) || acknowledged(3) {
		t.Error("not the selected task alone is acknowledged")
	}
	listed, _, err := l.Refused(Filter{}, 0, 10)
	if err != nil || len(listed) != 2 || !listed[0].Acknowledged || listed[1].Acknowledged {
		t.Errorf("%+v, %v", listed, err)
	}
	if _, err := l.Revive([]taskid.ID{testID(1)}); err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, rejectedEntry(1, "r2", outcome.Truncated))
	if acknowledged(1) {
		t.Error("a new rejection of a retried image counts as acknowledged")
	}
}
