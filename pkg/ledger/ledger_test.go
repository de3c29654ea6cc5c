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

func TestAppendedEntriesAreFound(t *testing.T) {
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

func TestFirstResultOfATaskWins(t *testing.T) {
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

func TestBatchWithAnInvalidEntryIsRefused(t *testing.T) {
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
		"long run":         func(e *Entry) { e.Run = strings.Repeat("x", MaxRunID+1) },
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

func TestLongTextsAreKeptOrCut(t *testing.T) {
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

func TestWordsBeyondTheLimitAreKeptInTheEntries(t *testing.T) {
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

func TestRunsAreKept(t *testing.T) {
	l := newLedger(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	early := Run{ID: "z", State: outcome.Finished, Started: at, Ended: at.Add(time.Hour), Recipe: testRecipe, Host: "v",
		Found: 10, Done: 5, Skipped: 3, Rejected: 1, Dead: 1, Redeliveries: 2, Duplicates: 1,
		LeftOut: map[string]int64{"hidden": 3}}
	late := Run{ID: "a", State: outcome.Running, Started: at.Add(time.Minute), Found: 10, Done: 7}
	for _, r := range []Run{late, {ID: "z", Started: at}, early} {
		if err := l.PutRun(r); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := l.Runs()
	if err != nil || !reflect.DeepEqual(runs, []Run{early, late}) {
		t.Errorf("Runs = %+v, %v", runs, err)
	}
	if got, found, err := l.LookupRun("z"); err != nil || !found || !reflect.DeepEqual(got, early) || !got.Balanced() {
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

func TestMethodsOfAClosedLedgerReturnErrClosed(t *testing.T) {
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

func TestEntryOfALaterRunReplacesTheEarlierOne(t *testing.T) {
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

// temporary reports whether what failed may succeed later.
func temporary(err error) bool {
	var f *Fault
	return errors.As(err, &f) && f.Temporary()
}
