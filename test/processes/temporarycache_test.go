//go:build darwin || linux

package processes

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// A worker that can keep no machine code makes a temporary directory. One that is killed with SIGKILL leaves it behind.
func TestTemporaryCacheOfAKilledWorkerIsRemoved(t *testing.T) {
	t.Parallel()
	f, temporary := newFarm(t), t.TempDir()
	var made []string // so far
	start := func(name string) (w *farmtest.Process, dir string) {
		t.Helper()
		cmd := exec.Command(filepath.Join(programs, "worker"), "--ventilator", f.Tasks, "--results", f.Results,
			"--name", name, "--slots", "1", "--http", "", "--log-format", "json")
		cmd.Env = []string{"TMPDIR=" + temporary, wasm.Env + "=" + filepath.Join(os.DevNull, "none")}
		w = farmtest.Start(t, name, cmd)
		again, over := time.NewTicker(5*time.Millisecond), time.After(limit)
		defer again.Stop()
		for {
			for _, dir := range temporaryCaches(t, temporary) {
				if !slices.Contains(made, dir) {
					made = append(made, dir)
					return w, dir
				}
			}
			select {
			case <-again.C:
			case <-w.Over():
				t.Fatalf("%s ended: %v", name, w.Cmd.ProcessState)
			case <-over:
				t.Fatalf("%s made no directory within %v", name, limit)
			}
		}
	}
	lives, its := start("lives")
	killed, left := start("killed")
	killed.Kill()
	if got := temporaryCaches(t, temporary); !slices.Contains(got, left) {
		t.Fatalf("of %s, which was killed, nothing is left in %v", left, got)
	}
	planted := filepath.Join(temporary, filepath.Base(left)+"X")
	if err := os.Symlink(t.TempDir(), planted); err != nil {
		t.Fatal(err)
	}
	made = append(made, planted)
	later, own := start("later")
	want := []string{its, own, planted}
	slices.Sort(want)
	if got := temporaryCaches(t, temporary); !slices.Equal(got, want) {
		t.Errorf("there are %v, want %v", got, want)
	}
	for _, w := range []*farmtest.Process{lives, later} {
		w.Signal(syscall.SIGTERM)
		w.MustExit(0)
	}
	if got := temporaryCaches(t, temporary); !slices.Equal(got, []string{planted}) {
		t.Errorf("left behind: %v, want the link alone", got)
	}
}

// temporaryCaches returns the directories of temporary caches, and whatever has such a name, in order.
func temporaryCaches(t *testing.T, temporary string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(temporary, "imagefarm-codecs-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}
