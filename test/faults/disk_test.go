//go:build linux

package faults

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const cannotWrite = `"msg":"cannot write results; trying again"`

// The disk fills up before anything is written, outputs and ledger alike; somebody makes room.
func TestDiskThatIsFullHoldsUpAndLosesNothing(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	mount(t, out, "size=24m")
	f, n := newFarm(t, out), 40
	sink := f.StartSink()
	sink.AwaitText("collecting", 1)
	relieve := fill(t, out)
	f.StartWorker("worker")
	ventilator := f.startVentilator(album(t, n))
	sink.AwaitText(cannotWrite, 1)
	f.mustBeInTrouble(sink, "the disk is full")
	if s := f.Status(); s.Done != 0 || s.Settled != 0 {
		t.Errorf("on a full disk %d are done, %d settled", s.Done, s.Settled)
	}
	ventilator.MustLive()
	relieve()
	ventilator.MustExit(0)
	mustBalance(ventilator, n)
	if code, text := sink.Readiness(); code != 200 || f.Status().Trouble != "" {
		t.Errorf("healed, /readyz says %d %q", code, text)
	}
	sink.AwaitText("can write results again", 1)
	f.mustVerify(3 * n)
}

// A worker that writes its outputs itself meets the full disk.
func TestDiskThatIsFullAtAWorkerHoldsUpAndLosesNothing(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	mount(t, out, "size=16m")
	f, n := newFarm(t, t.TempDir()), 20
	f.StartSink()
	worker := f.StartWorker("worker", "--out", out)
	worker.AwaitText(`"msg":"working"`, 1)
	relieve := fill(t, out)
	ventilator := f.startVentilator("--lease", "2s", album(t, n))
	worker.AwaitText("outputs cannot be written; trying again", 1)
	worker.AwaitText("the disk is full", 1)
	if code, text := worker.Readiness(); code != 503 || !strings.Contains(text, "the disk is full") {
		t.Errorf("the worker's /readyz says %d %q", code, text)
	}
	ventilator.MustLive()
	relieve()
	ventilator.MustExit(0)
	mustBalance(ventilator, n)
	f.mustVerify(3*n, "--out", out)
}

// Another file system, which cannot be written to, takes the directory's place; then it is taken away.
func TestReadOnlyFileSystemInTheOutputsPlace(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	f, n := newFarm(t, out), 40
	sink := f.StartSink("--ledger", filepath.Join(t.TempDir(), "ledger.db"))
	sink.AwaitText("collecting", 1)
	unmount := mount(t, out, "size=1m,ro")
	f.StartWorker("worker")
	ventilator := f.startVentilator(album(t, n))
	sink.AwaitText(cannotWrite, 1)
	f.mustBeInTrouble(sink, "read-only")
	ventilator.MustLive()
	unmount()
	ventilator.MustExit(0)
	mustBalance(ventilator, n)
	f.mustVerify(3*n, "--timeout", "5s", "--sink", f.Host)
}

// In the middle of a run the outputs' directory goes away, with the outputs in it, and comes back.
func TestDirectoryThatIsGoneForAWhile(t *testing.T) {
	t.Parallel()
	away := filepath.Join(t.TempDir(), "away")
	out := filepath.Join(t.TempDir(), "out")
	f, n := newFarm(t, out), 120
	sink := f.StartSink("--ledger", filepath.Join(t.TempDir(), "ledger.db"))
	f.StartWorker("worker")
	ventilator := f.startVentilator(album(t, n))
	awaitFile(t, out)
	if err := os.Rename(out, away); err != nil {
		t.Fatal(err)
	}
	sink.AwaitText(cannotWrite, 1)
	f.mustBeInTrouble(sink, "the directory is gone")
	ventilator.MustLive()
	if err := os.Rename(away, out); err != nil {
		t.Fatal(err)
	}
	ventilator.MustExit(0)
	mustBalance(ventilator, n)
	f.mustVerify(3*n, "--sink", f.Host)
}

func TestSinkOnAReadOnlyDirectorySaysSo(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	mount(t, out, "size=1m,ro")
	sink := newFarm(t, out).StartSink()
	sink.MustExit(1)
	sink.MustSay("read-only", out)
}
