//go:build linux

package faults

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// fullDisk returns a directory on a file system that has no byte left.
func fullDisk(t *testing.T) string {
	t.Helper()
	out := t.TempDir()
	mount(t, out, "size=1m")
	fill(t, out)
	return out
}

// A full disk must not hold a process for ever: MustExit fails a test whose process outlives it.
func TestFarmRunOnAFullDiskEndsAsStalled(t *testing.T) {
	t.Parallel()
	p := newFarm(t, t.TempDir()).Start("farm", "farm", "run", album(t, 40), "--out", fullDisk(t), "--ledger",
		filepath.Join(t.TempDir(), "ledger.db"),
		"--http", "", "--slots", "1", "--stall-timeout", "2s")
	p.MustExit(6)
	p.MustSay("the run stalled", "the disk is full")
}

func TestFarmRunOnAFullDiskEndsAfterItsDrainTimeout(t *testing.T) {
	t.Parallel()
	p := newFarm(t, t.TempDir()).Start("farm", "farm", "run", album(t, 40), "--out", fullDisk(t), "--ledger",
		filepath.Join(t.TempDir(), "ledger.db"),
		"--http", "", "--slots", "1", "--drain-timeout", "1s")
	p.AwaitText("cannot write", 1)
	p.Signal(syscall.SIGTERM)
	p.MustExit(143)
}

func TestSinkAndVentilatorBeforeAFullDiskEndAfterTheirDrainTimeout(t *testing.T) {
	t.Parallel()
	f := newFarm(t, fullDisk(t))
	sink := f.StartSink("--ledger", filepath.Join(t.TempDir(), "ledger.db"), "--drain-timeout", "1s")
	f.StartWorker("worker")
	ventilator := f.startVentilator("--drain-timeout", "1s", album(t, 40))
	sink.AwaitText(cannotWrite, 1)
	for _, p := range []*farmtest.Process{ventilator, sink} {
		p.Signal(syscall.SIGTERM)
		p.MustExit(143)
	}
}

func TestWorkerBeforeAFullDiskEndsAfterItsDrainTimeout(t *testing.T) {
	t.Parallel()
	f := newFarm(t, t.TempDir())
	f.StartSink()
	worker := f.StartWorker("worker", "--out", fullDisk(t), "--drain-timeout", "1s")
	f.startVentilator(album(t, 40))
	worker.AwaitText("outputs cannot be written; trying again", 1)
	worker.Signal(syscall.SIGTERM)
	worker.MustExit(143)
}
