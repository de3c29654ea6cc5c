//go:build unix

package processes

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// says reports whether a line of what the process wrote to standard error holds all of the texts.
func (p *process) says(texts ...string) bool {
	return slices.ContainsFunc(p.Log(), func(line string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	})
}

func (p *process) mustSay(texts ...string) {
	p.t.Helper()
	if !p.says(texts...) {
		p.t.Errorf("%s says no line with %q", p.Name, texts)
	}
}

func TestRunWithoutWorkersEndsWith5(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.startSink()
	ventilator := f.startVentilator("--wait-workers", "1s", album(t, 3))
	ventilator.MustExit(5)
	ventilator.mustSay("no worker came")
	if f.startVentilator("--wait-workers", "1s", t.TempDir()).MustExit(0); t.Failed() {
		t.Log("where there is nothing to do no worker is missed")
	}
}

func TestStalledRunEndsWith6AndNamesWhatIsStuck(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.startSink()
	ventilator := f.startVentilator("--stall-timeout", "1s", album(t, 3))
	ventilator.MustExit(6)
	ventilator.mustSay("stalled", "3 unsettled", "roll00/photo000.jpg", "roll00/photo001.jpg", "roll00/photo002.jpg")

	// What was stuck is not lost: a later run does it.
	f.startWorker("w1")
	next := f.startVentilator(ventilator.Cmd.Args[len(ventilator.Cmd.Args)-1])
	next.MustExit(0)
	next.mustAccount(account{found: 3, done: 3})
}

func TestTwoImagesWithOneOutputAreRefused(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	one, other := t.TempDir(), t.TempDir()
	write(t, filepath.Join(one, "sub", "a.jpg"), picture(t, 10))
	write(t, filepath.Join(other, "sub", "a.jpg"), picture(t, 20))
	ventilator := f.startVentilator(one, other)
	ventilator.MustExit(2)
	ventilator.mustSay("would both make", filepath.Join(one, "sub", "a.jpg"), filepath.Join(other, "sub", "a.jpg"), "sub/a_thumbnail64.jpg")

	// So are two in one directory whose formats are written alike.
	write(t, filepath.Join(one, "sub", "a.bmp"), []byte("BM"))
	ventilator = f.startVentilator(one)
	ventilator.MustExit(2)
	ventilator.mustSay("would both make", "a.bmp", "a.jpg")
}

func TestOutputInsideTheInputIsRefused(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir := album(t, 2)
	f.out = filepath.Join(dir, "thumbs")
	f.startSink().Await("collecting")
	ventilator := f.startVentilator(dir)
	ventilator.MustExit(2)
	ventilator.mustSay("inside the input", f.out)
	if found := filesBelow(t, dir); len(found) != 2 {
		t.Errorf("there are %q now", found)
	}
}

func TestWrongUseEndsWith2(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	dir := album(t, 1)
	for name, test := range map[string]struct {
		p    *process
		says []string
	}{
		"an unknown flag":          {f.startVentilator("--siez", "64", dir), []string{"siez", "--size"}},
		"a missing directory":      {f.startVentilator(filepath.Join(dir, "nowhere")), []string{"nowhere", "no such file"}},
		"no directory":             {f.startVentilator(), []string{"name a directory"}},
		"a recipe nobody knows":    {f.startVentilator("--variant", "a=swirl:3", dir), []string{"swirl"}},
		"a size that is none":      {f.startVentilator("--size", "big", dir), []string{"big"}},
		"arguments to a worker":    {f.startWorker("w", dir), []string{"no arguments"}},
		"arguments to a sink":      {f.startSink(dir), []string{"no arguments"}},
		"an endpoint of no kind":   {f.startVentilator("--bind", "carrier-pigeon://x", dir), []string{"carrier-pigeon"}},
		"bare names, bytes unsent": {f.startWorker("w", "--bare"), []string{"bare"}},
	} {
		if code := test.p.Wait(); code != 2 {
			t.Errorf("%s: ended with %d, not 2", name, code)
		}
		if said := strings.Join(test.p.Log(), "\n"); slices.ContainsFunc(test.says, func(s string) bool { return !strings.Contains(said, s) }) {
			t.Errorf("%s: %q is not said in: %s", name, test.says, said)
		}
	}
}
