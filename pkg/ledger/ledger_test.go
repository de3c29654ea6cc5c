package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func newLedger(t testing.TB) *Ledger {
	t.Helper()
	return openLedger(t, filepath.Join(t.TempDir(), "state", "ledger.db"))
}

func openLedger(t testing.TB, path string) *Ledger {
	t.Helper()
	l, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Check(context.Background()); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Check: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return l
}

const testRecipe = "thumbnail64=fit:64x64,thumbnail128=fit:128x128,thumbnail256=fit:256x256"

func testID(n int) taskid.ID {
	return taskid.FromContent("image", binary.AppendVarint(nil, int64(n)), testRecipe)
}

// testEntry is what a sink keeps of a usual image.
func testEntry(n int) Entry {
	e := Entry{
		ID:         testID(n),
		Filename:   fmt.Sprintf("photos/2013/11/IMG_%07d.jpg", n),
		Run:        "2026-03-01T12-00-00Z-a1b2",
		Outcome:    outcome.Done,
		Worker:     "worker-3.farm.example:7f31",
		Deliveries: 1,
		Recipe:     testRecipe,
		Input:      Input{Size: 3_456_789 + int64(n), Format: "jpeg", Width: 4000, Height: 3000},
		Timings: Timings{
			Queued: 12345 * time.Microsecond, Decode: 8 * time.Millisecond, Transform: 3210 * time.Microsecond,
			Encode: 2 * time.Millisecond, Write: 345 * time.Microsecond, EndToEnd: 27 * time.Millisecond,
		},
		Settled: time.UnixMicro(1_772_366_400_000_000 + int64(n)*313).UTC(),
	}
	for i, size := range []int{64, 128, 256} {
		name := fmt.Sprintf("photos/2013/11/IMG_%07d_thumbnail%d.jpg", n, size)
		e.Outputs = append(e.Outputs, Output{Name: name, Size: int64(1500 << i), Width: size, Height: size * 3 / 4})
	}
	return e
}

func rejectedEntry(n int, run string, reason outcome.Reason) Entry {
	e := testEntry(n)
	e.Run, e.Outcome, e.Reason, e.Outputs = run, outcome.Rejected, reason, nil
	e.Detail = "the picture ends after 17 of 3000 rows"
	return e
}

func appendAll(t testing.TB, l *Ledger, entries ...Entry) []bool {
	t.Helper()
	duplicates, err := l.Append(entries)
	if err != nil {
		t.Fatal(err)
	}
	return duplicates
}

func TestWhatIsAppendedIsFoundAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{testEntry(1), rejectedEntry(2, "run", outcome.Truncated), testEntry(3)}
	want[2].Outcome, want[2].Outputs, want[2].Stranger = outcome.Dead, nil, true
	appendAll(t, l, want...)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = openLedger(t, path)
	for i, w := range want {
		w.Seq = uint64(i + 1)
		got, found, err := l.Lookup(w.ID)
		if err != nil || !found || !reflect.DeepEqual(got, w) {
			t.Errorf("Lookup = %+v, %v, %v\nwant %+v", got, found, err, w)
		}
	}
	if _, found, err := l.Lookup(testID(4)); found || err != nil {
		t.Errorf("Lookup of what was never settled: %v, %v", found, err)
	}
	settled, err := l.Settled([]taskid.ID{testID(3), testID(4), testID(2), testID(1)})
	if err != nil || !slices.Equal(settled, []outcome.Outcome{outcome.Dead, "", outcome.Rejected, outcome.Done}) {
		t.Errorf("Settled = %q, %v", settled, err)
	}
}

func TestTheFirstResultWins(t *testing.T) {
	l := newLedger(t)
	first, second := testEntry(1), testEntry(1)
	second.Worker = "another"
	if dup := appendAll(t, l, first, testEntry(2), second); !slices.Equal(dup, []bool{false, false, true}) {
		t.Errorf("duplicates within a batch: %v", dup)
	}
	second.Outcome, second.Outputs = outcome.Dead, nil
	if dup := appendAll(t, l, second, testEntry(3)); !slices.Equal(dup, []bool{true, false}) {
		t.Errorf("duplicates of an earlier batch: %v", dup)
	}
	got, _, err := l.Lookup(first.ID)
	if err != nil || got.Worker != first.Worker || got.Outcome != outcome.Done {
		t.Errorf("the ledger has %+v, %v", got, err)
	}
	c, err := l.Counts(first.Run)
	if err != nil || c.Done != 3 || c.Dead != 0 || c.Duplicates != 2 || c.Settled() != 3 {
		t.Errorf("counts %+v, %v", c, err)
	}
}

func TestWhatIsInvalidIsRefusedWhole(t *testing.T) {
	l := newLedger(t)
	for what, change := range map[string]func(*Entry){
		"no id":            func(e *Entry) { e.ID = taskid.ID{} },
		"no name":          func(e *Entry) { e.Filename = "" },
		"long name":        func(e *Entry) { e.Filename = strings.Repeat("x", MaxName+1) },
		"skipped":          func(e *Entry) { e.Outcome = outcome.Skipped },
		"failed":           func(e *Entry) { e.Outcome = outcome.Failed },
		"no reason":        func(e *Entry) { e.Outcome = outcome.Rejected },
		"unknown reason":   func(e *Entry) { e.Outcome, e.Reason = outcome.Rejected, "ugly" },
		"needless reason":  func(e *Entry) { e.Reason = outcome.Corrupt },
		"NUL in run":       func(e *Entry) { e.Run = "a\x00b" },
		"negative size":    func(e *Entry) { e.Input.Size = -1 },
		"never settled":    func(e *Entry) { e.Settled = time.Time{} },
		"nameless output":  func(e *Entry) { e.Outputs[1].Name = "" },
		"negative output":  func(e *Entry) { e.Outputs[2].Size = -1 },
		"too many outputs": func(e *Entry) { e.Outputs = make([]Output, MaxOutputs+1) },
		"long recipe":      func(e *Entry) { e.Recipe = strings.Repeat("x", MaxText+1) },
	} {
		bad := testEntry(2)
		change(&bad)
		if _, err := l.Append([]Entry{testEntry(1), bad}); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
	if c, err := l.Totals(); err != nil || c.Settled() != 0 {
		t.Errorf("counts %+v, %v after nothing was taken", c, err)
	}
	if dup, err := l.Append(nil); err != nil || len(dup) != 0 {
		t.Errorf("an empty batch: %v, %v", dup, err)
	}
}

func TestEverythingLongIsKeptOrCut(t *testing.T) {
	l := newLedger(t)
	e := testEntry(1)
	e.Filename, e.Recipe = strings.Repeat("n", MaxName), strings.Repeat("r", MaxText)
	e.Detail = strings.Repeat("ä", MaxDetail)
	e.Outputs[0].Name = strings.Repeat("o", MaxName)
	e.Timings.Queued = -time.Second // clocks differ
	appendAll(t, l, e)
	got, _, err := l.Lookup(e.ID)
	if err != nil || got.Filename != e.Filename || got.Recipe != e.Recipe || got.Outputs[0].Name != e.Outputs[0].Name {
		t.Errorf("long texts were changed: %v", err)
	}
	if got.Detail != strings.Repeat("ä", MaxDetail/2) || got.Timings.Queued != 0 {
		t.Errorf("detail of %d bytes, queued %v", len(got.Detail), got.Timings.Queued)
	}
}

func TestWordsThatAreTooManyAreKeptInTheEntries(t *testing.T) {
	l := newLedger(t)
	var batch []Entry
	for i := range maxWordBytes/MaxText + 20 {
		e := testEntry(i)
		e.Recipe = fmt.Sprintf("%0*d", MaxText, i)
		batch = append(batch, e)
	}
	appendAll(t, l, batch...)
	if l.words.bytes > maxWordBytes {
		t.Errorf("%d bytes of words", l.words.bytes)
	}
	for _, i := range []int{0, len(batch) - 1} {
		got, _, err := l.Lookup(batch[i].ID)
		if err != nil || got.Recipe != batch[i].Recipe {
			t.Errorf("entry %d: recipe of %d bytes, %v", i, len(got.Recipe), err)
		}
	}
}

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
		{"of all three", Filter{"two", []outcome.Outcome{outcome.Rejected}, []outcome.Reason{outcome.Timeout}}, 100},
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
	ids, err := l.Retry(Filter{Reasons: []outcome.Reason{outcome.OutOfMemory}})
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
	if ids, err := l.Retry(Filter{Run: "none"}); len(ids) != 0 || err != nil {
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

func TestWalkSeesEverythingInOrderEvenWhatComesMeanwhile(t *testing.T) {
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

func TestRunsAreKept(t *testing.T) {
	l := newLedger(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	early := Run{ID: "z", State: RunFinished, Started: at, Ended: at.Add(time.Hour), Recipe: testRecipe, Host: "v",
		Found: 10, Done: 5, Skipped: 3, Rejected: 1, Dead: 1, Redeliveries: 2, Duplicates: 1}
	late := Run{ID: "a", State: RunActive, Started: at.Add(time.Minute), Found: 10, Done: 7}
	for _, r := range []Run{late, {ID: "z", Started: at}, early} {
		if err := l.PutRun(r); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := l.Runs()
	if err != nil || !reflect.DeepEqual(runs, []Run{early, late}) {
		t.Errorf("Runs = %+v, %v", runs, err)
	}
	if got, found, err := l.LookupRun("z"); err != nil || !found || got != early || !got.Balanced() {
		t.Errorf("LookupRun = %+v, %v, %v", got, found, err)
	}
	if got, _, _ := l.LookupRun("a"); got.Balanced() || got.Missing() != 3 {
		t.Errorf("missing %d of an unfinished run, want 3", got.Missing())
	}
	if _, found, err := l.LookupRun("none"); found || err != nil {
		t.Errorf("LookupRun of none: %v, %v", found, err)
	}
	for _, id := range []string{"", "a\x00", strings.Repeat("x", 129)} {
		if err := l.PutRun(Run{ID: id}); err == nil {
			t.Errorf("a run with the id %.9q was taken", id)
		}
	}
}

func TestReadersSeeWholeTransactionsWhileOneWrites(t *testing.T) {
	l := newLedger(t)
	const batches, size = 60, 50
	var readers sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		readers.Go(func() {
			for n := 0; ; n++ {
				c, err := l.Totals()
				if err != nil || c.Done%size != 0 {
					t.Errorf("Totals = %d done, %v, in the middle of a batch", c.Done, err)
				}
				if _, _, err := l.Lookup(testID(n % (batches * size))); err != nil {
					t.Errorf("Lookup: %v", err)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for b := range batches {
		batch := make([]Entry, size)
		for i := range batch {
			batch[i] = testEntry(b*size + i)
		}
		appendAll(t, l, batch...)
	}
	close(done)
	readers.Wait()
	if err := l.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAfterCloseEverythingSaysSo(t *testing.T) {
	l := newLedger(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, appendErr := l.Append([]Entry{testEntry(1)})
	_, _, lookupErr := l.Lookup(testID(1))
	_, runsErr := l.Runs()
	for _, err := range []error{appendErr, lookupErr, runsErr} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	}
}

func TestALaterRunsEntryTakesTheEarliersPlace(t *testing.T) {
	l := newLedger(t)
	first, again := rejectedEntry(1, "monday", outcome.Timeout), testEntry(1)
	again.Run, again.Stored = "tuesday", true
	if dup := appendAll(t, l, first, testEntry(2)); slices.Contains(dup, true) {
		t.Fatal("duplicates of nothing")
	}
	if dup := appendAll(t, l, again); dup[0] {
		t.Error("a later run's entry is no duplicate")
	}
	got, found, err := l.Lookup(first.ID)
	if err != nil || !found || got.Run != "tuesday" || got.Outcome != outcome.Done || !got.Stored {
		t.Errorf("the ledger has %+v, %v", got, err)
	}
	if page, _, err := l.Refused(Filter{}, 0, 10); err != nil || len(page) != 0 {
		t.Errorf("still rejected: %+v, %v", page, err)
	}
	monday, err := l.Counts("monday")
	if err != nil || monday.Settled() != 0 {
		t.Errorf("monday counts %+v, %v", monday, err)
	}
	if totals, err := l.Totals(); err != nil || totals.Settled() != 2 {
		t.Errorf("totals %+v, %v", totals, err)
	}
}
