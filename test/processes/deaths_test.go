//go:build unix

package processes

import (
	"fmt"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/worker"
)

func TestKilledWorkerLosesNothing(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 60
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(3)
	ventilator := f.StartVentilator("--lease", "5s", dir)
	ear.awaitSettledBy("w1", 3)
	workers[0].Kill()
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
}

// The same where it is certain that the worker held something when it was killed.
func TestTasksOfAKilledWorkerAreDeliveredAgain(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 20
	held := worker.DefaultPrefetch(1)
	dir := album(t, n)
	ventilator := f.StartVentilator("--lease", "60s", dir)
	workers := f.startWorkers(2)
	for _, w := range workers {
		ventilator.Await("worker joined", "worker", w.Name)
	}
	workers[0].Signal(syscall.SIGSTOP)
	f.StartSink() // before which nothing can be handed out
	// Of the frozen one, when the other has done the rest
	awaitMetric(t, ventilator, "imagefarm_ventilator_tasks_leased", float64(held))
	workers[0].Kill()
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
	if run := f.Status().Runs[0]; run.Redeliveries+run.Speculative < int64(held) {
		t.Errorf("%d redeliveries of the %d tasks that the killed worker held", run.Redeliveries, held)
	}
}

func TestEveryWorkerKilledAndOthersStarted(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 12
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	first := f.startWorkers(2)
	ventilator := f.StartVentilator("--lease", "5s", "--variant", slow, dir)
	ear.awaitSettled(2)
	for _, w := range first {
		w.Kill()
	}
	ventilator.AwaitNth(2, "worker left")
	f.StartWorker("w3")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	if made := filesBelow(t, f.Out); len(made) != n {
		t.Errorf("there are %q", made)
	}
}

// A frozen process keeps its connections: only its silence tells.
func TestFrozenWorkersTasksGoElsewhere(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 40
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(2)
	ventilator := f.StartVentilator("--lease", "3s", dir)
	ear.awaitSettledBy("w1", 3)
	workers[0].Signal(syscall.SIGSTOP)
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))

	// It awakes, and what it now tells is a duplicate that harms nobody.
	workers[0].Signal(syscall.SIGCONT)
	workers[0].Signal(syscall.SIGTERM)
	workers[0].MustExit(0)
	if s := f.Status(); s.Settled != uint64(n) {
		t.Errorf("%d settled, not %d", s.Settled, n)
	}
	mustHold(t, f.Out, filesBelow(t, dir))
}

func TestKilledSinkGoesOnFromItsLedger(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 60
	dir := album(t, n)
	sink := f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(3)
	ventilator := f.StartVentilator("--lease", "3s", dir)
	ear.awaitSettled(n / 4)
	sink.Kill()
	f.StartSink().Await("collecting")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
	if s := f.Status(); s.Settled != uint64(n) {
		t.Errorf("%d settled in the ledger, not %d", s.Settled, n)
	}
	for _, w := range workers {
		w.MustLive()
	}
}

func TestKilledVentilatorContinues(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 60
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(3)
	first := f.StartVentilator(dir)
	ear.awaitSettled(n / 4)
	first.Kill()
	second := f.StartVentilator(dir)
	second.MustExit(0)
	got := accountOf(t, second)
	if got.found != n || got.done+got.skipped != n || got.skipped < n/4 {
		t.Errorf("the second run says %+v; a quarter of %d images was done before", got, n)
	}
	mustHold(t, f.Out, filesBelow(t, dir))
	sum := 0
	for _, w := range workers {
		w.MustLive()
		sum += transformed(t, w)
	}
	if sum > 2*n-n/4 { // of the others the second run cannot know: they were held, or being committed
		t.Errorf("%d transforms of %d images, of which %d were known to be done when the first run died", sum, n, n/4)
	}
}

// Everything dies, in turn, again and again.
func TestNothingIsMissingWhoeverDies(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 90
	dir := album(t, n)
	sink := f.StartSink()
	workers := f.startWorkers(3)
	args := []string{"--lease", "3s", dir}
	ventilator := f.StartVentilator(args...)
	for round := range 3 {
		f.awaitLedger((3*round + 1) * n / 12)
		workers[round].Kill()
		workers = append(workers, f.StartWorker(fmt.Sprint("w", len(workers)+1)))
		f.awaitLedger((3*round + 2) * n / 12)
		sink.Kill()
		sink = f.StartSink()
		sink.Await("collecting")
		f.awaitLedger((3*round + 3) * n / 12)
		ventilator.Kill()
		ventilator = f.StartVentilator(args...)
	}
	ventilator.MustExit(0)
	if got := accountOf(t, ventilator); got.found != n || got.done+got.skipped != n {
		t.Errorf("the last run says %+v, of %d images", got, n)
	}
	mustHold(t, f.Out, filesBelow(t, dir))
	if left, err := filepath.Glob(filepath.Join(f.Out, "*", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestRunOfAFarmThatWasKilledIsListedAsInterrupted(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	sink := f.StartSink()
	ear := f.listen()
	f.StartWorker("w")
	ventilator := f.StartVentilator("--run", "monday", "--variant", slow, album(t, 20))
	ear.awaitSettled(2)
	ventilator.Kill()
	sink.Kill() // before it could tell that the ventilator had fallen silent
	runs := f.Start("runs", "farm", "runs", "--out", f.Out)
	runs.MustExit(0)
	if said := runs.Output(); !regexp.MustCompile(`(?m)^monday .* interrupted +\d`).MatchString(said) {
		t.Errorf("farm runs says %s", said)
	}
}
