package ledger

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyAnUnusedLedgerIsRemoved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	open := func() *Ledger {
		l, err := Open(path, Config{})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	l := open()
	if removed, err := l.RemoveIfUnused(); !removed || errors.Join(err, l.Close()) != nil {
		t.Fatal(removed, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("an unused ledger is still there: %v", err)
	}
	l = open()
	if _, err := l.Append([]Entry{testEntry(1)}); err != nil {
		t.Fatal(err)
	}
	if removed, err := l.RemoveIfUnused(); removed || errors.Join(err, l.Close()) != nil {
		t.Fatal(removed, err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("a ledger in use was removed: %v", err)
	}
}
