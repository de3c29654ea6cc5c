package source

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestOpenFileIsBeingWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jpg")
	if isBeingWritten(path) {
		t.Error("a file that is not there is being written")
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if !isBeingWritten(path) {
		t.Error("a file that is open for writing is not being written")
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first look leaves no trace
		if isBeingWritten(path) {
			t.Error("a closed file is being written")
		}
	}
	reader, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if isBeingWritten(path) {
		t.Error("a file that is read is being written")
	}
}

// A copy that pauses is taken at its end, once. A file that stands still for as long as a rescan takes, and is not
// closed, is taken as it is.
func TestSlowCopyIsVisitedOnceItIsClosed(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir, new(told))
		defer w.end()
		slow, err := os.Create(filepath.Join(dir, "slow.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		write := func(text string) {
			if _, err := slow.WriteString(text); err != nil {
				t.Fatal(err)
			}
			w.tell("slow.jpg")
		}
		write("half of ")
		w.after(5 * time.Minute)
		write("a copy")
		w.after(3 * time.Second)
		if err := slow.Close(); err != nil {
			t.Fatal(err)
		}
		w.after(3*time.Second, "slow.jpg")
		w.after(time.Hour)

		held, err := os.Create(filepath.Join(dir, "held.jpg"))
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		w.tell("held.jpg")
		w.after(9 * time.Minute)
		w.after(2*time.Minute, "held.jpg")
	})
}
