//go:build linux

package faults

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// farm is the addresses that one test's processes share.
type farm struct {
	t                               *testing.T
	host                            string
	tasks, results, events, control string
	out                             string
}

var farms atomic.Uint32

func newFarm(t *testing.T, out string) *farm {
	t.Helper()
	pid := os.Getpid()
	f := &farm{t: t, host: fmt.Sprintf("127.%d.%d.%d", 16+pid>>8&127, pid&255, 1+farms.Add(1)%250), out: out}
	for _, e := range []*string{&f.tasks, &f.results, &f.events, &f.control} {
		*e = "tcp://" + f.freeAddress()
	}
	return f
}

func (f *farm) freeAddress() string {
	f.t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(f.host, "0"))
	if err != nil {
		f.t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (f *farm) startSink(args ...string) *process {
	f.t.Helper()
	return start(f.t, "sink", append([]string{"--results", f.results, "--events", f.events, "--control", f.control,
		"--out", f.out, "--http", f.host + ":0", "--log-format", "json"}, args...)...)
}

func (f *farm) startWorker(args ...string) *process {
	f.t.Helper()
	return start(f.t, "worker", append([]string{"--ventilator", f.tasks, "--results", f.results, "--slots", "1",
		"--http", f.host + ":0", "--log-format", "json"}, args...)...)
}

func (f *farm) startVentilator(args ...string) *process {
	f.t.Helper()
	return start(f.t, "ventilator", append([]string{"--bind", f.tasks, "--events", f.events,
		"--control", f.control, "--http", f.host + ":0", "--log-format", "json", "--lease", "5s"}, args...)...)
}

func (f *farm) status() *wire.Status {
	f.t.Helper()
	c, err := sinkclient.Dial(zsock.Network{}, f.control)
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s, err := c.Status(ctx)
	if err = errors.Join(err, c.Close()); err != nil {
		f.t.Fatal(err)
	}
	return s
}

// mustBeInTrouble fails unless operator and orchestrator are told, in words.
func (f *farm) mustBeInTrouble(sink *process, words string) {
	f.t.Helper()
	status := start(f.t, "farm", "status", "--control", f.control)
	status.MustExit(0)
	status.mustSay("TROUBLE: ", words)
	if code, text := sink.readiness(); code != 503 || !bytes.Contains([]byte(text), []byte(words)) {
		f.t.Errorf("/readyz says %d %q", code, text)
	}
}

// mustVerify fails unless the ledger and the disk agree on that many outputs.
func (f *farm) mustVerify(outputs int, args ...string) {
	f.t.Helper()
	p := start(f.t, "farm", append([]string{"verify", "--out", f.out, "--control", f.control}, args...)...)
	p.MustExit(0)
	p.mustSay(fmt.Sprintf("%d outputs of %d images: all present, of the right size, and decode", outputs, outputs/3))
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

// mount mounts a file system of memory at dir until the test ends, as root or with sudo where that asks for no password;
// unmount takes it away before. Where that is not allowed the test is skipped.
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
