package ledger

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestBackupDuringWritesIsAWholeLedger(t *testing.T) {
	l := newLedger(t)
	const before = 500
	for i := range before {
		appendAll(t, l, testEntry(i))
	}
	started, stop, stopped := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := before; ; i++ {
			if _, err := l.Append([]Entry{testEntry(i)}); err != nil {
				t.Error(err)
			}
			if i == before {
				close(started)
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	<-started
	to := filepath.Join(t.TempDir(), "copy.db")
	size, err := l.Backup(t.Context(), to)
	close(stop)
	<-stopped
	if err != nil || size == 0 {
		t.Fatalf("%d bytes, %v", size, err)
	}
	copied := openLedger(t, to) // checks it at the end
	totals, err := copied.Totals()
	if err != nil || totals.Settled() <= before {
		t.Errorf("the copy counts %d entries, %v; more than %d were settled", totals.Settled(), err, before)
	}
	appendAll(t, copied, testEntry(1_000_000))
}

func TestBackupReplacesNothingAndLeavesNothingBehind(t *testing.T) {
	l := newLedger(t)
	appendAll(t, l, testEntry(1))
	dir := t.TempDir()
	to := filepath.Join(dir, "copy.db")
	if _, err := l.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Backup(t.Context(), to); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: %v", err)
	}
	if _, err := l.Backup(t.Context(), l.Path()); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over the ledger itself: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Backup(ended, filepath.Join(dir, "cancelled.db")); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) != 1 {
		t.Errorf("the directory holds %q, %v", left, err)
	}
}
