package ledger

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func TestCompactKeepsEverythingInLessSpace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := Open(path, Config{})
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	for run := range 4 { // each run's entries replace those of the run before
		batch := make([]Entry, n)
		for i := range batch {
			batch[i] = testEntry(i)
			batch[i].Run = string(rune('a' + run))
		}
		appendAll(t, l, batch...)
	}
	appendAll(t, l, rejectedEntry(n, "d", outcome.Truncated))
	want, _, err := l.Lookup(testID(7))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Compact(path, Config{LockTimeout: 1}); err == nil {
		t.Error("a ledger in use was compacted")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before, after, err := Compact(path, Config{})
	if err != nil || after >= before {
		t.Fatalf("%d bytes became %d, %v", before, after, err)
	}
	l = openLedger(t, path) // checks it at the end
	got, found, err := l.Lookup(testID(7))
	if err != nil || !found || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, %v, not %+v", got, found, err, want)
	}
	names, err := l.Superseded(&got)
	if err != nil || names != nil {
		t.Errorf("superseded %q, %v", names, err)
	}
	appendAll(t, l, testEntry(n+1))
	left, err := filepath.Glob(path + newSuffix + "*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}
