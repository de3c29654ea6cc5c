//go:build unix

package processes

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

func TestRunWithoutWorkersEndsWith5(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.StartSink()
	ventilator := f.StartVentilator("--wait-workers", "1s", album(t, 3))
	ventilator.MustExit(5)
	ventilator.MustSayLine("no worker came")
	if f.StartVentilator("--wait-workers", "1s", "--allow-empty", t.TempDir()).MustExit(0); t.Failed() {
		t.Log("where there is nothing to do no worker is missed")
	}
}

func TestStalledRunEndsWith6AndNamesWhatIsStuck(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.StartSink()
	ventilator := f.StartVentilator("--stall-timeout", "1s", album(t, 3))
	ventilator.MustExit(6)
	ventilator.MustSayLine("stalled", "3 unsettled", "roll00/photo000.jpg", "roll00/photo001.jpg", "roll00/photo002.jpg")

	// What was stuck is not lost: a later run does it.
	f.StartWorker("w1")
	next := f.StartVentilator(ventilator.Cmd.Args[len(ventilator.Cmd.Args)-1])
	next.MustExit(0)
	mustAccount(t, next, account{found: 3, done: 3})
}

func TestTwoImagesWithOneOutputAreRefused(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	one, other := t.TempDir(), t.TempDir()
	write(t, filepath.Join(one, "sub", "a.jpg"), picture(t, 10))
	write(t, filepath.Join(other, "sub", "a.jpg"), picture(t, 20))
	ventilator := f.StartVentilator(one, other)
	ventilator.MustExit(2)
	ventilator.MustSayLine("would both make", filepath.Join(one, "sub", "a.jpg"), filepath.Join(other, "sub", "a.jpg"),
		"sub/a_thumbnail64.jpg")
}

func TestSinkThatWritesAmongTheImagesIsRefused(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir := album(t, 2)
	f.Out = dir
	f.StartSink().Await("collecting")
	ventilator := f.StartVentilator(dir)
	ventilator.MustExit(2)
	ventilator.MustSayLine("among the images of the input", f.Out)
}

func TestWrongUseEndsWith2(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir := album(t, 1)
	for name, test := range map[string]struct {
		p    *farmtest.Process
		says []string
	}{
		"an unknown flag":          {f.StartVentilator("--siez", "64", dir), []string{"siez", "--size"}},
		"a missing directory":      {f.StartVentilator(filepath.Join(dir, "nowhere")), []string{"nowhere", "no such file"}},
		"no directory":             {f.StartVentilator(), []string{"name a directory"}},
		"a recipe nobody knows":    {f.StartVentilator("--variant", "a=swirl:3", dir), []string{"swirl"}},
		"a size that is none":      {f.StartVentilator("--size", "big", dir), []string{"big"}},
		"arguments to a worker":    {f.StartWorker("w", dir), []string{"no arguments"}},
		"arguments to a sink":      {f.StartSink(dir), []string{"no arguments"}},
		"an endpoint of no kind":   {f.StartVentilator("--bind", "carrier-pigeon://x", dir), []string{"carrier-pigeon"}},
		"bare names, bytes unsent": {f.StartWorker("w", "--bare"), []string{"bare"}},
	} {
		if code := test.p.Wait(); code != 2 {
			t.Errorf("%s: ended with %d, not 2", name, code)
		}
		if said := strings.Join(test.p.Log(), "\n"); slices.ContainsFunc(test.says,
			func(s string) bool { return !strings.Contains(said, s) }) {
			t.Errorf("%s: %q is not said in: %s", name, test.says, said)
		}
	}
}
