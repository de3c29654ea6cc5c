//go:build unix

package processes

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// pictures makes a directory of n images of one size.
func pictures(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("%03d.jpg", i)), picture(t, uint8(i)))
	}
	return dir
}

// Two ventilators share a worker: both runs end, balanced, and neither waits for the other.
func TestVentilatorsShareAWorker(t *testing.T) {
	f := newFarm(t)
	f.StartSink()
	const n = 60
	second := "tcp://" + f.FreeAddress()
	ventilators := []*farmtest.Process{
		f.StartVentilator("--run", "first", "--variant", "one=fit:30x30", pictures(t, n)),
		f.StartVentilator("--bind", second, "--run", "second", "--variant", "two=fit:30x30", pictures(t, n)),
	}
	for _, v := range ventilators {
		v.Await("handing out tasks")
	}
	f.StartWorker("w1", "--ventilator", second)
	for _, v := range ventilators {
		v.MustExit(0)
		mustAccount(t, v, account{found: n, done: n})
	}
	of := make(map[string]int)
	for _, e := range f.entries() {
		if of[e.Run]++; of[e.Run] == n {
			break // the other run had its part by then
		}
	}
	if of["first"] < n/10 || of["second"] < n/10 {
		t.Errorf("when one run had ended, the runs had settled %v", of)
	}
}

// The parts of --shard, all at once, take each image once, as the jobs of a cluster do.
func TestPartsOfARunTakeEachImageOnce(t *testing.T) {
	const n, parts = 60, 3
	in := pictures(t, n)
	f := newFarm(t)
	f.StartSink()
	var ventilators []*farmtest.Process
	args := []string{"--name", "w1"}
	for i := range parts {
		bind := "tcp://" + f.FreeAddress()
		args = append(args, "--ventilator", bind)
		ventilators = append(ventilators, f.StartVentilator("--bind", bind, "--run", "job", "--size", "30",
			"--shard", fmt.Sprint(i, "/", parts), in))
	}
	f.StartWorker("w1", args...)
	found := 0
	for _, v := range ventilators {
		v.MustExit(0)
		a := accountOf(t, v)
		if a.done != a.found || a.found == 0 || a.found > n/2 {
			t.Errorf("%+v", a)
		}
		found += a.found
	}
	if found != n || len(f.entries()) != n {
		t.Errorf("the parts found %d images, and the ledger has %d, of %d", found, len(f.entries()), n)
	}
	v := f.StartVentilator("--shard", "3/3", in)
	v.MustExit(2)
	v.MustSay("is not I/N")
}

// Two runs at the same time would make the same outputs of different images: the second one's image is refused.
func TestRunsAtTheSameTimeDoNotReplaceEachOthersOutputs(t *testing.T) {
	f := newFarm(t)
	f.StartSink()
	one, two := pictures(t, 3), pictures(t, 4)
	second := "tcp://" + f.FreeAddress()
	first := f.StartVentilator("--run", "first", "--size", "30", one)
	f.awaitStatus("a run with all of its images found", func(s *wire.Status) bool {
		return len(s.Runs) == 1 && s.Runs[0].Found == 3
	})
	other := f.StartVentilator("--bind", second, "--run", "second", "--size", "30", two)
	f.awaitLedger(3) // rejections of the second run; the first has no worker yet
	f.StartWorker("w1", "--ventilator", second)
	other.MustExit(3)
	mustAccount(t, other, account{found: 4, done: 1, rejected: 3})
	other.MustSay("which run \\\"first\\\" makes at the same time")
	first.MustExit(0)
	mustAccount(t, first, account{found: 3, done: 3})
	for _, e := range f.entries() {
		if e.Filename == "000.jpg" && e.Outcome == outcome.Done && e.Run != "first" {
			t.Errorf("the output of the first run was replaced: %+v", e)
		}
	}
}
