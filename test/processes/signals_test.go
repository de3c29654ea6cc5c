//go:build unix

package processes

import (
	"encoding/json"
	"strconv"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

func TestDrainingWorkerFinishesWhatItHolds(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 60
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(2)
	ventilator := f.StartVentilator(dir)
	ear.awaitSettledBy("w1", 3)
	workers[0].Signal(syscall.SIGTERM)
	workers[0].MustExit(0)
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
}

// slow is a recipe that takes a worker a while, so that the middle of a run is long.
const slow = "slow=force:3600x2800,blur:6,enlarge:yes"

func TestDrainingVentilatorLeavesTheRestForTheNextRun(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 16
	dir := album(t, n)
	sink := f.StartSink()
	first := f.StartVentilator(dir)
	awaitMetric(t, first, "imagefarm_ventilator_tasks_pending", float64(n)) // it has asked the ledger about all
	// So that the worker gets one task, and no other.
	sink.Signal(syscall.SIGSTOP)
	awaitMetric(t, f.StartWorker("w1", "--prefetch", "1"), "imagefarm_worker_tasks_total", 1)
	first.Signal(syscall.SIGTERM)
	first.Await("draining", "left for the next run", strconv.Itoa(n-1))
	sink.Signal(syscall.SIGCONT)
	first.MustExit(143)
	mustAccount(t, first, account{found: 1, done: 1})
	second := f.StartVentilator(dir)
	second.MustExit(0)
	mustAccount(t, second, account{found: n, done: n - 1, skipped: 1})
	mustHold(t, f.Out, filesBelow(t, dir))
}

func TestInterruptedVentilatorSaysSo(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.StartSink()
	ventilator := f.StartVentilator(album(t, 3))
	ventilator.Await("handing out tasks")
	ventilator.Signal(syscall.SIGINT) // no worker: nothing is held
	ventilator.MustExit(130)
}

func TestDrainingSinkCommitsWhatCameAndEnds(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 60
	dir := album(t, n)
	sink := f.StartSink()
	ear := f.listen()
	f.startWorkers(2)
	ventilator := f.StartVentilator("--lease", "3s", dir)
	ear.awaitSettled(n / 4)
	sink.Signal(syscall.SIGTERM)
	sink.MustExit(0)
	f.StartSink()
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
}

func TestSecondSignalCutsAVentilator(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.StartSink()
	worker := f.StartWorker("w1")
	ventilator := f.StartVentilator(album(t, 10))
	ventilator.Await("worker joined")
	worker.Signal(syscall.SIGSTOP) // a drain would wait for what it holds
	ventilator.Signal(syscall.SIGTERM)
	ventilator.Await("draining")
	ventilator.MustLive()
	ventilator.Signal(syscall.SIGTERM)
	ventilator.MustExit(143)
}

func TestSecondSignalCutsAWorker(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 10
	dir := album(t, n)
	sink := f.StartSink()
	ear := f.listen()
	worker := f.StartWorker("w1")
	ventilator := f.StartVentilator("--lease", "3s", "--variant", slow, dir)
	ear.awaitSettled(1)
	sink.Signal(syscall.SIGSTOP) // a drain would wait until somebody takes the results
	sink.Kill()
	worker.Signal(syscall.SIGINT)
	worker.Await("draining")
	worker.MustLive()
	worker.Signal(syscall.SIGTERM)
	worker.MustExit(143)

	// What it held is done by another.
	f.StartSink()
	f.StartWorker("w2")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
}

func TestFarmInOneProcessDrains(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 12
	dir, out := album(t, n), f.Out
	run := func() *farmtest.Process { // of a recipe that takes its time
		return f.Start("farm", "farm", "run", dir, "--out", out, "--http", "", "--progress", "json", "--slots", "1",
			"--variant", slow)
	}
	first := run()
	first.AwaitOutputLine("progress", func(line string) bool {
		var status struct{ Done int }
		return json.Unmarshal([]byte(line), &status) == nil && status.Done > 0
	})
	first.Signal(syscall.SIGTERM)
	first.MustExit(143)
	got := accountOf(t, first)
	if got.done != got.found || got.done == 0 {
		t.Errorf("the drained run says %+v", got)
	}
	second := run()
	second.MustExit(0)
	mustAccount(t, second, account{found: n, done: n - got.done, skipped: got.done})
	if made := filesBelow(t, out); len(made) != n {
		t.Errorf("there are %q", made)
	}
}
