package ledger

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// withOutput is an entry of the nth task that has an output of that name.
func withOutput(n int, run, output, source string) Entry {
	e := testEntry(n)
	e.Run, e.Source, e.Outputs = run, source, []Output{{Name: output, Size: 10}}
	return e
}

func TestOutputBelongsToTheLatestEntryThatHasIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	appendAll(t, l, withOutput(1, "r1", "a_x.jpg", "/one"), withOutput(2, "r1", "b_x.jpg", "/one"))
	appendAll(t, l, withOutput(3, "r2", "a_x.jpg", "/two"))
	owner := func(name string) (e Entry) {
		t.Helper()
		if err := l.Owners([]string{name, "none.jpg"}, func(_ string, found Entry) { e = found }); err != nil {
			t.Fatal(err)
		}
		return e
	}
	superseded := func(n int) []string {
		t.Helper()
		e, ok, err := l.Lookup(testID(n))
		if err != nil || !ok {
			t.Fatalf("task %d: %v, %v", n, ok, err)
		}
		names, err := l.Superseded(&e)
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	check := func() {
		t.Helper()
		if e := owner("a_x.jpg"); e.Source != "/two" {
			t.Errorf("a_x.jpg belongs to %+v", e)
		}
		if e := owner("b_x.jpg"); e.ID != testID(2) {
			t.Errorf("b_x.jpg belongs to %+v", e)
		}
		if got := superseded(1); !slices.Equal(got, []string{"a_x.jpg"}) {
			t.Errorf("superseded of the first: %q", got)
		}
		if got := superseded(3); got != nil {
			t.Errorf("superseded of the latest: %q", got)
		}
		if err := l.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
	check()
	sources, complete, err := l.Sources()
	if err != nil || !complete || !slices.Equal(sources, []string{"/one", "/two"}) {
		t.Errorf("sources %q, %v, %v", sources, complete, err)
	}

	// An earlier version knows none of the later buckets.
	err = l.db.Update(func(tx *bbolt.Tx) error {
		for _, name := range laterBuckets() {
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
		}
		_, err := tx.CreateBucket(bucketHashes)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, readOnly := range []bool{true, false, true} {
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if l, err = Open(path, Config{ReadOnly: readOnly}); err != nil {
			t.Fatal(err)
		}
		check()
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if before, err := Open(path+upgradeSuffix, Config{ReadOnly: true}); err != nil {
		t.Errorf("the ledger from before its upgrade: %v", err)
	} else if _, ok, err := before.Lookup(testID(3)); err != nil || !ok || before.Close() != nil {
		t.Errorf("the ledger from before its upgrade lacks an entry: %v", err)
	}
	if l, err = Open(path, Config{}); err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = l.view(func(tx *bbolt.Tx) error {
		if tx.Bucket(bucketHashes) != nil {
			t.Error("the earlier form of the index is still there")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Revive([]taskid.ID{testID(3)}); err != nil {
		t.Fatal(err)
	}
	if e := owner("a_x.jpg"); !e.ID.IsZero() {
		t.Errorf("the owner was removed, and a_x.jpg belongs to %+v", e)
	}
}

func TestOutputsOfLongNamesThatBeginAlikeHaveTheirOwnOwners(t *testing.T) {
	l := newLedger(t)
	long := strings.Repeat("long/", maxOutputKey)
	appendAll(t, l, withOutput(1, "r", long+"a.jpg", "/one"), withOutput(2, "r", long+"b.jpg", "/two"))
	owners := make(map[string]string)
	err := l.Owners([]string{long + "a.jpg", long + "b.jpg", long}, func(name string, e Entry) { owners[name] = e.Source })
	if err != nil || len(owners) != 2 || owners[long+"a.jpg"] != "/one" || owners[long+"b.jpg"] != "/two" {
		t.Errorf("the owners are %q, %v", owners, err)
	}
}

func TestEntryTakesOutputsOfAnEarlierOne(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, withOutput(1, "r1", "a_x.jpg", "/one"), withOutput(2, "r1", "b_x.jpg", "/one"))
	owner := func(name string) (seq uint64) {
		t.Helper()
		if err := l.Owners([]string{name}, func(_ string, e Entry) { seq = e.Seq }); err != nil {
			t.Fatal(err)
		}
		return seq
	}
	both := withOutput(3, "r2", "a_x.jpg", "/one")
	both.Outputs[0].Earlier, both.Outputs[0].Owner = true, owner("a_x.jpg")
	both.Outputs = append(both.Outputs, Output{Name: "a_y.jpg", Size: 7})
	late := withOutput(4, "r2", "b_x.jpg", "/one")
	late.Outputs[0].Earlier, late.Outputs[0].Owner = true, owner("b_x.jpg")
	appendAll(t, l, withOutput(5, "r2", "b_x.jpg", "/two"), both, late)
	if got := owner("a_x.jpg"); got != 4 {
		t.Errorf("a_x.jpg belongs to %d, not to the entry that took it", got)
	}
	if got := owner("b_x.jpg"); got != 3 {
		t.Errorf("b_x.jpg belongs to %d, not to the entry that replaced it before it was taken", got)
	}
	e, ok, err := l.Lookup(testID(3))
	if err != nil || !ok || !e.Outputs[0].Earlier || e.Outputs[1].Earlier || e.Unmade() {
		t.Errorf("%+v, %v, %v", e, ok, err)
	}
	counts, err := l.Counts("r2")
	if err != nil || counts.Done != 2 || counts.Outputs != 2 || counts.OutputBytes != 17 {
		t.Errorf("what was made earlier is counted: %+v, %v", counts, err)
	}
}
