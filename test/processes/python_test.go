//go:build unix

package processes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// interpreter is a Python that has what the examples need.
var interpreter = sync.OnceValues(func() (string, error) {
	var errs []string
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		out, err := exec.Command(python, "-c", "import zmq, msgpack, PIL.Image").CombinedOutput()
		if err == nil {
			return python, nil
		}
		errs = append(errs, fmt.Sprintf("%s: %v %s", python, err, out))
	}
	return "", fmt.Errorf("no Python with zmq, msgpack and PIL (Debian: python3-zmq python3-msgpack python3-pil): %s",
		strings.Join(errs, "; "))
})

// startPython runs a script; the test is skipped where there is no Python for it, and fails where CI demands one.
func startPython(t *testing.T, name, script string, args ...string) *farmtest.Process {
	t.Helper()
	needPython(t)
	python, _ := interpreter()
	return farmtest.Start(t, name, exec.Command(python, append([]string{"-u", script}, args...)...))
}

func needPython(t *testing.T) {
	t.Helper()
	if _, err := interpreter(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func example(name string) string { return filepath.Join(root, "examples", "python", name) }

// startPythonWorker starts the example's worker; it writes where the sink's outputs go.
func (f *farm) startPythonWorker(args ...string) *farmtest.Process {
	f.t.Helper()
	return startPython(f.t, "worker.py", example("worker.py"), append([]string{"--tasks", f.Tasks, "--results", f.Results,
		"--out", f.Out}, args...)...)
}

func TestStrangersWorkerBesideOurs(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 40
	dir := album(t, n)
	sink := f.StartSink()
	sink.Await("collecting")
	ventilator := f.StartVentilator("--stall-timeout", "80s", dir)
	f.startPythonWorker()
	ventilator.Await("worker joined", "stranger", "true")
	ours := f.StartWorker("w1")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
	strangers := 0
	for _, e := range f.entries() {
		if e.Stranger {
			strangers++
		}
	}
	if strangers == 0 || strangers+transformed(t, ours) < n {
		t.Errorf("%d of %d on a stranger's word, %d by our worker", strangers, n, transformed(t, ours))
	}
	ventilator.MustSayLine(fmt.Sprintf("%d of the done come from workers that cannot echo task ids", strangers))
}

func TestStrangersWorkerAlone(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 12
	dir := album(t, n)
	f.StartSink().Await("collecting")
	f.startPythonWorker()
	ventilator := f.StartVentilator("--stall-timeout", "80s", dir)
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	ventilator.MustSayLine(fmt.Sprintf("%d of the done come from workers that cannot echo task ids", n))
	mustHold(t, f.Out, filesBelow(t, dir))

	again := f.StartVentilator(dir)
	again.MustExit(0)
	mustAccount(t, again, account{found: n, skipped: n})
}

func TestStrangersWorkerThatEchoesGetsTheFullPromise(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 12
	dir := album(t, n)
	write(t, filepath.Join(dir, "damaged.jpg"), []byte("\xff\xd8\xffnot much of a picture"))
	f.StartSink()
	f.startPythonWorker("--echo", "--name", "python")
	ventilator := f.StartVentilator("--stall-timeout", "80s", dir)
	ventilator.MustExit(3)
	mustAccount(t, ventilator, account{found: n + 1, done: n, rejected: 1})
	for _, e := range f.entries() {
		want := outcome.Done
		if e.Filename == "damaged.jpg" {
			want = outcome.Rejected
		}
		if e.Outcome != want || e.Worker != "python" || e.Stranger {
			t.Errorf("the ledger says %+v", e)
		}
	}
	if ventilator.SaysLine("cannot echo task ids") {
		t.Error("what was acknowledged is told as taken on a stranger's word")
	}
}

func TestStrangersWorkerThatDies(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 30
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	stranger := f.startPythonWorker()
	ventilator := f.StartVentilator("--stall-timeout", "80s", dir)
	ear.awaitSettled(3)
	stranger.Kill()
	ventilator.Await("worker left")
	f.StartWorker("w1")
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	for _, name := range filesBelow(t, f.Out) {
		// What it was writing: not under its name, but nobody sweeps a stranger's leftovers
		if strings.HasSuffix(name, ".part") {
			if err := os.Remove(filepath.Join(f.Out, name)); err != nil {
				t.Error(err)
			}
		}
	}
	mustHold(t, f.Out, filesBelow(t, dir))
}

// What strangers name reaches the ventilator as an event: names told while the sink was away are lost.
func TestStrangersWorkerAloneAndASinkThatDies(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 20
	dir := album(t, n)
	sink := f.StartSink()
	ear := f.listen()
	f.startPythonWorker()
	ventilator := f.StartVentilator("--stall-timeout", "80s", "--lease", "2s", dir)
	ear.awaitSettled(5)
	sink.Kill()
	f.StartSink()
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
}

func TestStrangersWorkerThatNamesOutputsNobodyExpects(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 10
	dir := album(t, n)
	f.StartSink()
	startPython(t, "misnamer.py", filepath.Join("testdata", "misnamer.py"), f.Tasks, f.Results)
	ventilator := f.StartVentilator("--stall-timeout", "80s", dir)
	ventilator.Await("worker joined", "stranger", "true")
	f.StartWorker("w1")
	ventilator.MustExit(0) // what the stranger was given is sent to the idle worker, too
	mustAccount(t, ventilator, account{found: n, done: n})
	if ventilator.SaysLine("cannot echo task ids") {
		t.Error("names that nobody expects settled something")
	}
	mustHold(t, f.Out, filesBelow(t, dir))
}

func TestStrangersVentilatorFeedsOurFarm(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 12
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	workers := f.startWorkers(2)
	startPython(t, "ventilator.py", example("ventilator.py"), "--bind", f.Tasks, dir).MustExit(0)
	ear.awaitSettled(n)
	mustHold(t, f.Out, filesBelow(t, dir))
	if s := f.Status(); s.Settled != uint64(n) || s.Duplicates != 0 {
		t.Errorf("%d settled, %d duplicates", s.Settled, s.Duplicates)
	}

	// The same once more: the ledger knows the images by name and content.
	startPython(t, "ventilator.py", example("ventilator.py"), "--bind", f.Tasks, dir).MustExit(0)
	ear.await("as many duplicates", func() bool { return ear.topics[wire.TopicTaskDone] >= 2*n })
	if s := f.Status(); s.Settled != uint64(n) || s.Duplicates != uint64(n) {
		t.Errorf("%d settled, %d duplicates", s.Settled, s.Duplicates)
	}
	if did := transformed(t, workers[0]) + transformed(t, workers[1]); did != 2*n {
		t.Errorf("%d transforms of %d tasks", did, 2*n)
	}
}

// printed are the lines that a process wrote to standard output, sorted.
func printed(t *testing.T, p *farmtest.Process) []string {
	lines := strings.Split(strings.TrimSpace(p.Output()), "\n")
	slices.Sort(lines)
	return lines
}

func TestStrangersSinkCollectsFromOurWorkers(t *testing.T) {
	for feeder, feed := range map[string]func(f *farm, dir string){
		"our ventilator": func(f *farm, dir string) {
			ventilator := f.StartVentilator("--sink", "none", "--control", "", dir)
			ventilator.MustExit(0)
			if want := "8 images found: 8 handed out; what became of them is unknown"; !slices.Contains(ventilator.Log(), want) {
				t.Errorf("it printed no %q", want)
			}
		},
		"a stranger's ventilator": func(f *farm, dir string) {
			startPython(f.t, "ventilator.py", example("ventilator.py"), "--bind", f.Tasks, dir).MustExit(0)
		},
	} {
		for form, args := range map[string]func(out string) []string{
			"bare names, outputs stored by the workers": func(out string) []string { return []string{"--bare", "--out", out} },
			"results with the outputs' bytes":           func(string) []string { return nil },
		} {
			t.Run(feeder+", "+form, func(t *testing.T) {
				t.Parallel()
				needPython(t)
				f := newFarm(t)
				dir := album(t, 8)
				images := filesBelow(t, dir)
				sink := startPython(t, "sink.py", example("sink.py"), "--bind", f.Results, "--out", f.Out, "--count", "24")
				for i := range 2 {
					f.StartWorker(fmt.Sprint("w", i), args(f.Out)...)
				}
				feed(f, dir)
				sink.MustExit(0)
				mustHold(t, f.Out, images)
				if got := printed(t, sink); !slices.Equal(got, thumbnails(images)) {
					t.Errorf("it was told of %q", got)
				}
			})
		}
	}
}

func TestSubscriberSeesWhatHappens(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 4
	dir := album(t, n)
	write(t, filepath.Join(dir, "damaged.jpg"), []byte("\xff\xd8\xff"))
	f.StartSink()
	subscriber := startPython(t, "subscriber.py", example("subscriber.py"), "--events", f.Events)
	f.listen() // what we hear it hears, too, as it came before
	f.StartWorker("w1")
	f.StartVentilator(dir).MustExit(3)
	status := f.Status()
	subscriber.AwaitOutput("run.finished")
	out := subscriber.Output()
	if got := strings.Count(out, "task.done {"); got != n {
		t.Errorf("it saw %d tasks done", got)
	}
	for _, text := range []string{"task.rejected {", `"damaged.jpg"`, `"truncated"`, "worker.seen", "run.started",
		status.Runs[0].ID} {
		if !strings.Contains(out, text) {
			t.Errorf("it never saw %s in:\n%s", text, out)
		}
	}
}

func TestWireVectorsAsPythonReadsThem(t *testing.T) {
	t.Parallel()
	p := startPython(t, "vectors.py", filepath.Join("testdata", "vectors.py"),
		filepath.Join(root, "testdata", "wire", "vectors.json"))
	if code := p.Wait(); code != 0 {
		t.Errorf("ended with %d: %s", code, p.Output())
	}
}
