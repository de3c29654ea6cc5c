package ledger

import (
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func TestLastEntriesComeFirst(t *testing.T) {
	l := newLedger(t)
	if last, err := l.Last(false, 3); err != nil || len(last) != 0 {
		t.Fatalf("an empty ledger: %v, %v", last, err)
	}
	var batch []Entry
	for i := range 600 {
		e := testEntry(i)
		if i%100 == 7 {
			e = rejectedEntry(i, "r", outcome.Corrupt)
		}
		batch = append(batch, e)
	}
	appendAll(t, l, batch...)
	for refused, want := range map[bool][]int{false: {599, 598, 597, 596}, true: {507, 407, 307, 207}} {
		last, err := l.Last(refused, 4)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, e := range last {
			got = append(got, slices.IndexFunc(batch, func(b Entry) bool { return b.ID == e.ID }))
		}
		if !slices.Equal(got, want) {
			t.Errorf("refused %v: %v, want %v", refused, got, want)
		}
	}
	if last, err := l.Last(true, 100); err != nil || len(last) != 6 {
		t.Errorf("%d of 6, %v", len(last), err)
	}
}

func TestEntriesSettledBeforeATimeAreCounted(t *testing.T) {
	l := newLedger(t)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	times := []time.Time{start.Add(-time.Hour), start, start.Add(10 * time.Second), start.Add(time.Hour)}
	if before, err := l.SettledBefore(times); err != nil || slices.Max(before) != 0 {
		t.Fatalf("an empty ledger: %v, %v", before, err)
	}
	var batch []Entry
	for i := range 1000 { // a hundred each second, and a gap where an operator revives some
		e := testEntry(i)
		if i == 500 {
			e = rejectedEntry(i, "r", outcome.Corrupt)
		}
		e.Settled = start.Add(time.Duration(i) * 10 * time.Millisecond)
		batch = append(batch, e)
	}
	appendAll(t, l, batch...)
	if _, err := l.Retry(t.Context(), Filter{}); err != nil {
		t.Fatal(err)
	}
	times = append(times, start.Add(5*time.Second), start.Add(5*time.Second+time.Millisecond))
	before, err := l.SettledBefore(times)
	if want := []uint64{0, 0, 1000, 1000, 500, 500}; err != nil || !slices.Equal(before, want) {
		t.Errorf("%v, %v; want %v", before, err, want)
	}
}
