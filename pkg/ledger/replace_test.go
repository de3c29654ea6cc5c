package ledger

import (
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestEntryTakesThePlaceOfARefusal(t *testing.T) {
	l := newLedger(t)
	refused := func(n int, name string) Entry {
		e := rejectedEntry(n, "r", outcome.Truncated)
		e.Filename = name
		return e
	}
	again := func(n int, name string, replaces taskid.ID) Entry {
		e := testEntry(n)
		e.Run, e.Filename, e.Replaces = "r", name, replaces
		return e
	}
	done := again(3, "done.jpg", taskid.ID{})
	appendAll(t, l, refused(1, "slow.jpg"), again(2, "slow.jpg", testID(1)), done, refused(4, "a.jpg"),
		refused(5, "b.jpg"))
	other := again(9, "b.jpg", testID(5))
	other.Run = "another"
	appendAll(t, l, again(6, "done.jpg", testID(3)), again(7, "c.jpg", testID(4)), again(8, "d.jpg", testID(99)), other)
	for n, want := range map[int]bool{1: false, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true, 8: true, 9: true} {
		if _, is, err := l.Lookup(testID(n)); err != nil || is != want {
			t.Errorf("task %d: %v, %v", n, is, err)
		}
	}
	counts, err := l.Counts("r")
	if err != nil || counts.Rejected != 2 || counts.Done != 5 || counts.Reasons[outcome.Truncated] != 2 {
		t.Errorf("%+v, %v", counts, err)
	}
	page, _, err := l.Refused(Filter{}, 0, 10)
	if err != nil || len(page) != 2 {
		t.Errorf("%d refused, %v", len(page), err)
	}
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
