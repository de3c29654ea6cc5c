//go:build unix

package processes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// A folder into which others copy: each final file is made exactly once, and SIGTERM ends the run with a summary that
// balances.
func TestWatchedFolder(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir, elsewhere := t.TempDir(), t.TempDir()
	write(t, filepath.Join(dir, "first.jpg"), picture(t, 1))
	f.StartSink().Await("collecting")
	f.StartWorker("w")
	v := f.StartVentilator("--watch", "--settle", "300ms", "--rescan", "1h", dir)
	settled := func(n int64) {
		t.Helper()
		f.awaitStatus("settled images", func(s *wire.Status) bool {
			return len(s.Runs) > 0 && s.Runs[0].Settled() >= n && s.Runs[0].State == outcome.Watching
		})
	}
	settled(1)

	slow, err := os.Create(filepath.Join(dir, "slow.jpg")) // in pieces
	if err != nil {
		t.Fatal(err)
	}
	data := picture(t, 2)
	for i := range 10 {
		if _, err := slow.Write(data[i*len(data)/10 : (i+1)*len(data)/10]); err != nil {
			t.Fatal(err)
		}
	}
	album := filepath.Join(elsewhere, "album")
	write(t, filepath.Join(album, "deep", "moved.jpg"), picture(t, 3))
	write(t, filepath.Join(dir, ".upload"), picture(t, 4))
	write(t, filepath.Join(dir, "broken.jpg"), data[:len(data)/3])
	write(t, filepath.Join(dir, "notes.txt"), []byte("no image"))
	err = errors.Join(slow.Close(), os.Rename(album, filepath.Join(dir, "album")),
		os.Rename(filepath.Join(dir, ".upload"), filepath.Join(dir, "renamed.jpg")))
	if err != nil {
		t.Fatal(err)
	}
	settled(5)
	write(t, filepath.Join(dir, "first.jpg"), picture(t, 5)) // changed
	write(t, filepath.Join(dir, "album", "deep", "late.jpg"), picture(t, 6))
	settled(7)
	status := f.Start("status", "farm", "status", "--control", f.Control)
	status.MustExit(0)
	status.MustSay("watching (6 new)")

	v.Signal(syscall.SIGTERM)
	v.MustExit(3) // one is damaged
	mustAccount(t, v, account{found: 7, done: 6, rejected: 1})
	made := make(map[string]int)
	for _, e := range f.entries() {
		made[e.Filename]++
	}
	for name, n := range map[string]int{"first.jpg": 2, "slow.jpg": 1, "album/deep/moved.jpg": 1, "renamed.jpg": 1,
		"album/deep/late.jpg": 1, "broken.jpg": 1} {
		if made[name] != n {
			t.Errorf("%s was settled %d times, not %d", name, made[name], n)
		}
	}
	if got := len(filesBelow(t, f.Out)); got != 15 {
		t.Errorf("%d outputs of 5 images", got)
	}

	// What came meanwhile is made by the next run, and nothing is made twice.
	write(t, filepath.Join(dir, "meanwhile.jpg"), picture(t, 7))
	again := f.StartVentilator("--watch", "--settle", "300ms", dir)
	settled(7)
	again.Signal(syscall.SIGTERM)
	again.MustExit(3)
	mustAccount(t, again, account{found: 7, done: 1, skipped: 5, rejected: 1})
}

// A copy that pauses for longer than --settle is taken too early and rejected. At its end it is done once, and nothing
// is left of the rejection.
func TestCopyThatPausesReplacesItsRejection(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir := t.TempDir()
	sink := f.StartSink()
	sink.Await("collecting")
	f.StartWorker("w")
	v := f.StartVentilator("--watch", "--settle", "100ms", "--rescan", "1h", dir)
	data := picture(t, 2)
	for _, name := range []string{"slow.jpg", "slower.jpg"} {
		write(t, filepath.Join(dir, name), data[:len(data)/2])
	}
	is := func(what string, found, rejected, done int64) {
		t.Helper()
		f.awaitStatus(what, func(s *wire.Status) bool {
			return len(s.Runs) > 0 && s.Runs[0].Rejected == rejected && s.Runs[0].Done == done && s.Runs[0].Found == found
		})
	}
	is("rejected copies", 2, 2, 0)
	write(t, filepath.Join(dir, "slow.jpg"), data)
	is("the whole copy", 2, 1, 1)
	sink.Kill() // another knows from the ledger what was rejected
	f.StartSink().Await("collecting")
	write(t, filepath.Join(dir, "slower.jpg"), data)
	is("both copies", 2, 0, 2)
	v.Signal(syscall.SIGTERM)
	v.MustExit(0)
	mustAccount(t, v, account{found: 2, done: 2})
	for _, e := range f.entries() {
		if e.Outcome != outcome.Done {
			t.Errorf("the ledger has %s as %s", e.Filename, e.Outcome)
		}
	}
}

func TestWatchTakesDirectoriesAlone(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	for _, args := range [][]string{{"s3://bucket"}, {"https://example.org/a.jpg"}, {"--dry-run", t.TempDir()}} {
		v := f.Start("run", "farm", append([]string{"run", "--watch", "--http", "", "--out", f.Out}, args...)...)
		v.MustExit(2)
		if said := v.Said(); !strings.Contains(said, "watch") {
			t.Errorf("%q: %s", args, said)
		}
	}
}

// A run in one process with an empty folder waits, too.
func TestRunInOneProcessWatches(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir := t.TempDir()
	run := f.Start("run", "farm", "run", "--watch", "--settle", "100ms", "--http", "", "--log-level", "info", "--out",
		filepath.Join(dir, "thumbs"), "--size", "64", dir)
	run.AwaitText("collecting", 1)
	write(t, filepath.Join(dir, "a.jpg"), picture(t, 1))
	awaitFile(t, filepath.Join(dir, "thumbs", "a_thumbnail64.jpg"))
	run.Signal(syscall.SIGINT)
	run.MustExit(0)
	mustAccount(t, run, account{found: 1, done: 1})
}

// awaitFile waits until a file is there.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	again, over := time.NewTicker(10*time.Millisecond), time.After(limit)
	defer again.Stop()
	for {
		if _, err := os.Stat(path); err == nil {
			return
		}
		select {
		case <-again.C:
		case <-over:
			t.Fatalf("%s: not within %v", path, limit)
		}
	}
}
