//go:build linux

package faults

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// farm is a farm whose surroundings fail.
type farm struct {
	*farmtest.Farm
	t *testing.T
}

func newFarm(t *testing.T, out string) *farm {
	t.Helper()
	return &farm{farmtest.New(t, programs, out), t}
}

// startVentilator starts a ventilator whose leases are short: these tests wait for many of them.
func (f *farm) startVentilator(args ...string) *farmtest.Process {
	f.t.Helper()
	return f.StartVentilator(append([]string{"--lease", "5s"}, args...)...)
}

// mustBeInTrouble fails unless operator and orchestrator are told, in words.
func (f *farm) mustBeInTrouble(sink *farmtest.Process, words string) {
	f.t.Helper()
	status := f.Start("farm", "farm", "status", "--control", f.Control)
	status.MustExit(0)
	status.MustSay("TROUBLE: ", words)
	if code, text := sink.Readiness(); code != 503 || !bytes.Contains([]byte(text), []byte(words)) {
		f.t.Errorf("/readyz says %d %q", code, text)
	}
}

// mustBalance fails the test unless the run's summary says that it found n images and made all of them.
func mustBalance(p *farmtest.Process, n int) {
	p.MustSay(fmt.Sprintf("%d images found = %d done + 0 skipped + 0 rejected + 0 dead: balanced", n, n))
}

// mustVerify fails unless the ledger and the disk agree on that many outputs.
func (f *farm) mustVerify(outputs int, args ...string) {
	f.t.Helper()
	p := f.Start("farm", "farm", append([]string{"verify", "--out", f.Out, "--control", f.Control}, args...)...)
	p.MustExit(0)
	p.MustSay(fmt.Sprintf("%d outputs of %d images: all present, with the right content, and decode", outputs, outputs/3))
}

// negative is a JPEG that takes a worker some milliseconds.
var negative = sync.OnceValue(func() []byte {
	img := image.NewYCbCr(image.Rect(0, 0, 800, 600), image.YCbCrSubsampleRatio420)
	for i := range img.Y {
		img.Y[i] = uint8(i*i/811 + i/97)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		panic(err) // into memory
	}
	return b.Bytes()
})

// album makes a directory of n photographs.
func album(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("roll%02d", i/20), fmt.Sprintf("photo%03d.jpg", i)), negative())
	}
	return dir
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// mount mounts a file system of memory at dir until the test ends, as root or with sudo where that asks for no
// password; unmount takes it away before. Where that is not allowed the test is skipped.
func mount(t *testing.T, dir, options string) (unmount func()) {
	t.Helper()
	as := func(args ...string) error {
		if os.Geteuid() != 0 {
			args = append([]string{"sudo", "-n"}, args...)
		}
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w: %s", args, err, out)
		}
		return nil
	}
	if err := as("mount", "-t", "tmpfs", "-o", options+",mode=777", "tmpfs", dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("a file system must be mounted: %v", err)
		}
		t.Skipf("no file system can be mounted here: %v", err)
	}
	mounted := true
	unmount = func() {
		if mounted {
			mounted = false
			if err := as("umount", "-l", dir); err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(unmount)
	return unmount
}

// fill takes the last byte of the file system below dir, and returns what gives it back.
func fill(t *testing.T, dir string) (relieve func()) {
	t.Helper()
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); ; {
		_, err := f.Write(chunk)
		if errors.Is(err, syscall.ENOSPC) {
			if len(chunk) == 1 {
				break
			}
			chunk = chunk[:len(chunk)/2]
		} else if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
