package sink

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

func TestReservationsOfLiveRunsExcludeOtherImages(t *testing.T) {
	var r reservations
	live := map[string]bool{"a": true, "b": true}
	try := func(run, image string, id byte, names ...string) string {
		t.Helper()
		clash, holder, err := r.reserve(names, reservation{run, taskid.ID{id}.String(), image}, "", func(run string) bool {
			return live[run]
		}, time.Time{})
		if err != nil || clash != "" && holder.run == run {
			t.Fatalf("%q of %+v, %v", clash, holder, err)
		}
		return clash
	}
	if clash := try("a", "/one/1.jpg", 1, "1_x.jpg", "1_y.jpg"); clash != "" {
		t.Errorf("the first clashes in %q", clash)
	}
	if clash := try("b", "/two/1.jpg", 2, "0_x.jpg", "1_y.jpg"); clash != "1_y.jpg" {
		t.Errorf("another image of another run clashes in %q", clash)
	}
	if clash := try("b", "/two/0.jpg", 3, "0_x.jpg"); clash != "" {
		t.Errorf("what clashed has reserved %q", clash)
	}
	if clash := try("b", "/one/1.jpg", 4, "1_x.jpg"); clash != "" {
		t.Errorf("the same image of another run clashes in %q", clash)
	}
	r.settle(&ledger.Entry{Run: "a", ID: taskid.ID{1}})
	if clash := try("b", "/two/1.jpg", 5, "1_y.jpg"); clash != "" {
		t.Errorf("what is settled clashes in %q", clash)
	}
	live["b"] = false
	if clash := try("a", "/one/0.jpg", 6, "0_x.jpg"); clash != "" {
		t.Errorf("a run that is not live clashes in %q", clash)
	}
	r.end("a")
	r.end("b")
	mustBeEmpty(t, &r)
}

func mustBeEmpty(t *testing.T, r *reservations) {
	t.Helper()
	if len(r.byName) != 0 || len(r.byRun) != 0 || r.bytes != 0 || len(r.byAccount) != 0 {
		t.Errorf("left: %v, %v, %d bytes, %v", r.byName, r.byRun, r.bytes, r.byAccount)
	}
}

// Found: a task that reserved names again, for a file of another name, kept those before for ever.
func TestTaskThatReservesAgainGivesItsNamesBack(t *testing.T) {
	var r reservations
	of := reservation{"a", taskid.ID{1}.String(), "/one/1.jpg"}
	for _, name := range []string{"1_x.jpg", "2_x.jpg", "2_x.jpg", "3_x.jpg"} {
		_, _, err := r.reserve([]string{name}, of, "192.0.2.1", func(string) bool { return true }, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.byName) != 1 {
			t.Errorf("a task has reserved %v", r.byName)
		}
	}
	r.settle(&ledger.Entry{Run: "a", ID: taskid.ID{1}})
	mustBeEmpty(t, &r)
}

// Found: names that were reserved for runs that nobody began filled the table for ever, and the memory: up to a million
// names of any length.
func TestReservationsAreBoundedAndThoseOfDeadRunsMakeRoom(t *testing.T) {
	var r reservations
	live := map[string]bool{"a": true, "b": true, "c": true}
	isLive := func(run string) bool { return live[run] }
	now := time.Now()
	long, used := strings.Repeat("x", 2<<20), 0 // names are ends of it, which take no memory here
	fill := func(run, account string) (n int) {
		for ; n <= maxReservedBytes>>21; n++ {
			used++
			of := reservation{run: run, id: strconv.Itoa(n)}
			if _, _, err := r.reserve([]string{long[used:]}, of, account, isLive, now); err != nil {
				break
			}
		}
		return n
	}
	of1, of2, of3 := fill("a", "192.0.2.1"), fill("b", "192.0.2.1"), fill("c", "192.0.2.2")
	if of1 < 90 || of1 > 96 || of2 != 0 || of3 < 30 || of3 > 33 {
		t.Errorf("two accounts have %d and %d, and %d names of almost 2 MiB", of1, of2, of3)
	}
	live["a"] = false
	now = now.Add(sweepEvery)
	if n := fill("b", "192.0.2.1"); n < 90 {
		t.Errorf("in place of a run that has ended %d names are reserved", n)
	}
	r.end("b")
	r.end("c")
	mustBeEmpty(t, &r)
}
