//go:build unix

package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// role is a process that is started again and again under one name.
type role struct {
	name string
	args []string
	bin  string
	env  []string // beside that of the test

	mu  sync.Mutex
	now *farmtest.Process // nil: it was never started
}

func (r *role) start(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.now != nil {
		select {
		case <-r.now.Over():
		default:
			return // another fault's mending was quicker
		}
	}
	cmd := exec.Command(r.bin, r.args...)
	cmd.Env = r.env
	r.now = farmtest.Launch(t, r.name, cmd)
}

// running returns the process that was started last, which may have ended by itself.
func (r *role) running() *farmtest.Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *role) signal(sig syscall.Signal) { r.running().Signal(sig) }

// kill ends it at once and waits until it is gone.
func (r *role) kill() { r.running().Kill() }

func (r *role) done() <-chan struct{} { return r.running().Over() }

// code returns the exit code of an ended process, −1 when a signal ended it.
func (r *role) code() int { return r.running().Cmd.ProcessState.ExitCode() }

func (r *role) tail(n int) string {
	said := r.running().Said()
	return said[max(0, len(said)-n):]
}

// build makes the programs once.
func build(t *testing.T) string {
	t.Helper()
	bin, remove, err := farmtest.Build()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(remove)
	return bin
}

// album fills dir with n images: hard links to small photographs and to hostile files, and returns how many are
// hostile.
func album(t *testing.T, dir string, n int) {
	t.Helper()
	var photos, hostile []string
	for pattern, list := range map[string]*[]string{"../../testdata/photos/*/*": &photos,
		"../../testdata/hostile/*": &hostile} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := os.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			ext := filepath.Ext(name)
			if info.Mode().IsRegular() && info.Size() < 120<<10 && ext != ".tsv" && ext != ".md" && ext != "" {
				*list = append(*list, name)
			}
		}
	}
	if len(photos) < 5 || len(hostile) < 10 {
		t.Fatalf("%d photographs and %d hostile files to link to", len(photos), len(hostile))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	local := make(map[string]string) // copied once, so that links do not cross file systems
	for i := range n {
		from := photos[i%len(photos)]
		if i%20 == 19 {
			from = hostile[i/20%len(hostile)]
		}
		if local[from] == "" {
			b, err := os.ReadFile(from)
			if err != nil {
				t.Fatal(err)
			}
			local[from] = filepath.Join(dir, fmt.Sprintf(".source%d", len(local)))
			if err := os.WriteFile(local[from], b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		to := filepath.Join(dir, fmt.Sprintf("d%02d", i%17), fmt.Sprintf("%05d%s", i, filepath.Ext(from)))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(local[from], to); err != nil {
			t.Fatal(err)
		}
	}
}
