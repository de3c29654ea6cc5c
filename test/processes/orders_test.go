//go:build unix

package processes

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// three workers of one slot each.
func (f *farm) startWorkers(n int) (all []*farmtest.Process) {
	f.t.Helper()
	for i := range n {
		all = append(all, f.StartWorker(fmt.Sprint("w", i+1)))
	}
	return all
}

// mustTransformOnce fails unless the workers together did each of n images once, but for what the ventilator sent a
// second time to an idle worker because the first was slow. It returns each worker's count.
func (f *farm) mustTransformOnce(n int, workers []*farmtest.Process) (each []int) {
	f.t.Helper()
	sum := 0
	for _, w := range workers {
		each = append(each, transformed(f.t, w))
		sum += each[len(each)-1]
	}
	run := f.Status().Runs[0]
	if run.Redeliveries != 0 {
		f.t.Errorf("%d redeliveries where nothing failed", run.Redeliveries)
	}
	if sum < n || sum > n+int(run.Speculative) {
		f.t.Errorf("%d transforms of %d images (%v), %d of them speculative", sum, n, each, run.Speculative)
	}
	return each
}

func TestStartedInAnyOrderEveryImageIsTransformedOnce(t *testing.T) {
	for _, order := range []string{
		"sink workers ventilator", "sink ventilator workers", "workers sink ventilator",
		"workers ventilator sink", "ventilator sink workers", "ventilator workers sink",
	} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			f, images := newFarm(t), photos(t)
			var workers []*farmtest.Process
			var ventilator *farmtest.Process
			for _, role := range strings.Fields(order) {
				switch role { // each is at work before the next begins
				case "sink":
					f.StartSink().Await("collecting")
				case "workers":
					workers = f.startWorkers(3)
					for _, w := range workers {
						w.Await("working")
					}
				case "ventilator":
					ventilator = f.StartVentilator(filepath.Join(root, "testdata", "photos"))
					ventilator.Await("handing out tasks")
				}
			}
			ventilator.MustExit(0)
			mustAccount(t, ventilator, account{found: len(images), done: len(images)})
			f.mustTransformOnce(len(images), workers)
			mustHold(t, f.Out, images)
		})
	}
}

func TestWorkIsSpreadOverTheWorkers(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 90
	ventilator := f.StartVentilator(album(t, n))
	workers := f.startWorkers(3)
	for _, w := range workers {
		ventilator.Await("worker joined", "worker", w.Name)
	}
	f.StartSink() // before which nothing can be handed out
	f.pauseAtOnce()
	for _, w := range workers { // or one would have to keep its first results until it is
		w.Await("connected", "to", "sink")
	}
	f.steer("running")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	for i, did := range f.mustTransformOnce(n, workers) {
		if did < n/9 {
			t.Errorf("worker %d did %d of %d images: less than a third of its share", i+1, did, n)
		}
	}
}

func TestWorkerThatComesLateTakesItsShare(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 30
	f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(3)
	ventilator := f.StartVentilator("--variant", slow, album(t, n))
	ear.awaitSettled(3)
	f.steer("paused")
	ventilator.Await("an operator changed the state of the run", "state", "paused")
	late := f.StartWorker("w4")
	ventilator.Await("worker joined", "worker", "w4")
	f.steer("running")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	each := f.mustTransformOnce(n, append(workers, late))
	if did := each[3]; did < 2 {
		t.Errorf("the late worker did %d of %d images (%v)", did, n, each)
	}
}

func TestSecondRunSkipsWhatIsUnchangedAndForceDoesItAgain(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 12
	dir := album(t, n)
	f.StartSink()
	workers := f.startWorkers(2)
	for _, run := range []struct {
		args        []string
		want        account
		transformed int
	}{
		{nil, account{found: n, done: n}, n},
		{nil, account{found: n, skipped: n}, n},
		{[]string{"--force"}, account{found: n, done: n}, 2 * n},
		{[]string{"--size", "32"}, account{found: n, done: n}, 3 * n},
	} {
		ventilator := f.StartVentilator(append(run.args, dir)...)
		ventilator.MustExit(0)
		mustAccount(t, ventilator, run.want)
		if did := transformed(t, workers[0]) + transformed(t, workers[1]); did != run.transformed {
			t.Errorf("after the run with %q there were %d transforms, not %d", run.args, did, run.transformed)
		}
	}
}
