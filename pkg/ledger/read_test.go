package ledger

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestRefusedTasksAreListedInPages(t *testing.T) {
	l := newLedger(t)
	var batch []Entry
	for i := range 1000 {
		switch {
		case i%10 == 0:
			batch = append(batch, rejectedEntry(i, "one", outcome.Corrupt))
		case i%10 == 1:
			batch = append(batch, rejectedEntry(i, "two", outcome.Timeout))
		case i%10 == 2:
			e := rejectedEntry(i, "two", "")
			e.Outcome = outcome.Dead
			batch = append(batch, e)
		default:
			batch = append(batch, testEntry(i))
		}
	}
	appendAll(t, l, batch...)
	for _, c := range []struct {
		name   string
		filter Filter
		want   int
	}{
		{"all", Filter{}, 300},
		{"of a run", Filter{Run: "two"}, 200},
		{"of an outcome", Filter{Outcomes: []outcome.Outcome{outcome.Dead}}, 100},
		{"of reasons", Filter{Reasons: []outcome.Reason{outcome.Corrupt, outcome.Timeout}}, 200},
		{"of all three", Filter{
			Run: "two", Outcomes: []outcome.Outcome{outcome.Rejected}, Reasons: []outcome.Reason{outcome.Timeout},
		}, 100},
		{"of none", Filter{Run: "three"}, 0},
	} {
		for _, limit := range []int{1, 7, 100, 5000} {
			var seen []taskid.ID
			var last uint64
			for after := uint64(0); ; {
				page, next, err := l.Refused(c.filter, after, limit)
				if err != nil || len(page) > limit {
					t.Fatalf("%s: a page of %d, %v; limit %d", c.name, len(page), err, limit)
				}
				for _, e := range page {
					if e.Seq <= last || e.Outcome == outcome.Done {
						t.Fatalf("%s: entry %d (%s) behind %d", c.name, e.Seq, e.Outcome, last)
					}
					last = e.Seq
					seen = append(seen, e.ID)
				}
				if next == 0 {
					break
				}
				after = next
			}
			if len(seen) != c.want {
				t.Errorf("%s in pages of %d: %d entries, want %d", c.name, limit, len(seen), c.want)
			}
		}
	}
	if _, _, err := l.Refused(Filter{}, 0, 0); err == nil {
		t.Error("a limit of 0 was taken")
	}
}

func TestRetryMakesTasksDueAgain(t *testing.T) {
	l := newLedger(t)
	var batch []Entry
	for i := range 2500 {
		batch = append(batch, rejectedEntry(i, "one", outcome.OutOfMemory))
	}
	batch = append(batch, testEntry(9000), rejectedEntry(9001, "one", outcome.Corrupt))
	appendAll(t, l, batch...)
	ids, err := l.Retry(t.Context(), Filter{Reasons: []outcome.Reason{outcome.OutOfMemory}})
	if err != nil || len(ids) != 2500 {
		t.Fatalf("Retry revived %d, %v", len(ids), err)
	}
	settled, err := l.Settled([]taskid.ID{testID(0), testID(2499), testID(9000), testID(9001)})
	if err != nil || !slices.Equal(settled, []outcome.Outcome{"", "", outcome.Done, outcome.Rejected}) {
		t.Errorf("Settled = %q, %v", settled, err)
	}
	c, err := l.Counts("one")
	if err != nil || c.Rejected != 1 || len(c.Reasons) != 1 || c.Reasons[outcome.Corrupt] != 1 {
		t.Errorf("counts %+v, %v", c, err)
	}
	again := testEntry(0)
	if dup := appendAll(t, l, again); dup[0] {
		t.Error("the result of a retried task is a duplicate")
	}
	got, _, err := l.Lookup(again.ID)
	if err != nil || got.Outcome != outcome.Done || got.Retries != 1 || got.Seq != 2503 {
		t.Errorf("the retried task is %+v, %v", got, err)
	}
	if n, err := l.Revive([]taskid.ID{again.ID, testID(77777), again.ID}); n != 1 || err != nil {
		t.Errorf("Revive = %d, %v", n, err)
	}
	appendAll(t, l, again)
	if got, _, _ := l.Lookup(again.ID); got.Retries != 2 {
		t.Errorf("revived twice, and the entry says %d times", got.Retries)
	}
	if ids, err := l.Retry(t.Context(), Filter{Run: "none"}); len(ids) != 0 || err != nil {
		t.Errorf("Retry of nothing: %v, %v", ids, err)
	}
}

func TestCountsAddUp(t *testing.T) {
	l := newLedger(t)
	other := testEntry(3)
	other.Run = "" // a stranger's
	appendAll(t, l, testEntry(1), testEntry(2), other, rejectedEntry(4, testEntry(1).Run+"x", outcome.TooLarge))
	c, err := l.Counts(testEntry(1).Run)
	want := Counts{Done: 2, Deliveries: 2, Outputs: 6, OutputBytes: 2 * 10500, InputBytes: 2*3_456_789 + 3, Pixels: 24e6}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("Counts = %+v, %v, want %+v", c, err, want)
	}
	if c, err := l.Counts(""); err != nil || c.Done != 1 || c.Rejected != 0 {
		t.Errorf("Counts without a run = %+v, %v", c, err)
	}
	all, err := l.Totals()
	if err != nil || all.Settled() != 4 || all.Rejected != 1 || all.Reasons[outcome.TooLarge] != 1 {
		t.Errorf("Totals = %+v, %v", all, err)
	}
}

func TestWalkVisitsAllEntriesInOrderAndThoseAddedMeanwhile(t *testing.T) {
	l := newLedger(t)
	var batch []Entry
	for i := range 3*pageSize + 5 {
		batch = append(batch, testEntry(i))
	}
	appendAll(t, l, batch...)
	last := uint64(0)
	err := l.Walk(t.Context(), 0, func(e Entry) error {
		if e.Seq != last+1 {
			t.Errorf("entry %d behind %d", e.Seq, last)
		}
		last = e.Seq
		if e.Seq == 10 {
			appendAll(t, l, testEntry(100_000)) // would wait for ever if the walk held a transaction that blocks it
		}
		return nil
	})
	if err != nil || last != uint64(len(batch)+1) {
		t.Errorf("Walk ended at %d, %v", last, err)
	}
	stop := errors.New("enough")
	if err := l.Walk(t.Context(), last-2, func(Entry) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Walk = %v, want the error of fn", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := l.Walk(ctx, 0, func(Entry) error { cancel(); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Walk = %v after its context ended", err)
	}
}

// Found: behind the greatest number, which a caller may pass, pages began with the first entry again.
func TestNothingIsBehindTheLastNumber(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, testEntry(1), rejectedEntry(2, "run", outcome.Corrupt))
	if err := l.Walk(t.Context(), math.MaxUint64, func(e Entry) error { return errors.New(e.Filename) }); err != nil {
		t.Errorf("there is %v", err)
	}
	if page, next, err := l.Refused(Filter{}, math.MaxUint64, 10); err != nil || len(page) > 0 || next != 0 {
		t.Errorf("there are %d refused entries, then %d, %v", len(page), next, err)
	}
}
