//go:build unix

package processes

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// farm is the addresses that one test's processes share. They are fixed before any process starts, so that the processes
// can start in any order and again.
type farm struct {
	t                               *testing.T
	host                            string
	tasks, results, events, control string
	out                             string
}

var farms atomic.Uint32

func newFarm(t *testing.T) *farm {
	t.Helper()
	f := &farm{t: t, host: loopback(), out: filepath.Join(t.TempDir(), "out")}
	for port, e := range map[string]*string{"5555": &f.control, "5556": &f.events, "5557": &f.tasks, "5558": &f.results} {
		*e = "tcp://" + net.JoinHostPort(f.host, port)
		if f.host == "127.0.0.1" {
			*e = "tcp://" + f.freeAddress()
		}
	}
	return f
}

// loopback returns an address of this machine that nobody else uses, where there are several (as on Linux): then the usual
// ports are free, and nobody is given them by chance, neither for an outgoing connection nor for a server on port 0.
func loopback() string {
	n, pid := farms.Add(1), os.Getpid()
	host := fmt.Sprintf("127.%d.%d.%d", 16+(pid>>8)&127, pid&255, 1+n%250)
	if l, err := net.Listen("tcp", net.JoinHostPort(host, "5557")); err == nil {
		_ = l.Close()
		return host
	}
	return "127.0.0.1"
}

// freeAddress is one that was free a moment ago.
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
	return start(f.t, "sink", "sink", append([]string{"--results", f.results, "--events", f.events, "--control", f.control,
		"--out", f.out, "--http", f.host + ":0", "--log-format", "json"}, args...)...)
}

// startWorker starts a worker of one slot, which is the easiest to reason about.
func (f *farm) startWorker(name string, args ...string) *process {
	f.t.Helper()
	return start(f.t, name, "worker", append([]string{"--ventilator", f.tasks, "--results", f.results, "--name", name,
		"--slots", "1", "--http", f.host + ":0", "--log-format", "json"}, args...)...)
}

func (f *farm) startVentilator(args ...string) *process {
	f.t.Helper()
	return start(f.t, "ventilator", "ventilator", append([]string{"--bind", f.tasks, "--events", f.events,
		"--control", f.control, "--http", f.host + ":0", "--log-format", "json"}, args...)...)
}

// client asks the sink.
func (f *farm) client() *sinkclient.Client {
	f.t.Helper()
	c, err := sinkclient.Dial(zsock.Network{}, f.control)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := c.Close(); err != nil {
			f.t.Log(err)
		}
	})
	return c
}

func (f *farm) status() *wire.Status {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	s, err := f.client().Status(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

// entries returns the whole ledger.
func (f *farm) entries() []wire.Receipt {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := f.client()
	var all []wire.Receipt
	for args := (wire.EntriesArgs{}); ; {
		page, err := c.Entries(ctx, args)
		if err != nil {
			f.t.Fatal(err)
		}
		all = append(all, page.Entries...)
		if args.After = page.Next; args.After == "" {
			return all
		}
	}
}

// steer is an operator's word to every live run.
func (f *farm) steer(state string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := f.client().Steer(ctx, "", state); err != nil {
		f.t.Fatal(err)
	}
}

// startPaused starts a ventilator whose run is paused before there is a worker, and resumes it over a connection that is open
// already.
func (f *farm) startPaused(args ...string) (ventilator *process, resume func()) {
	f.t.Helper()
	ventilator = f.startVentilator(args...)
	c := f.pauseAtOnce()
	ventilator.Await("an operator steers the run", "state", "paused")
	return ventilator, func() {
		f.t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := c.Steer(ctx, "", "running"); err != nil {
			f.t.Fatal(err)
		}
	}
}

// pauseAtOnce pauses the first run as soon as the sink knows of it, and returns what it did it with.
func (f *farm) pauseAtOnce() *sinkclient.Client {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := f.client()
	again := time.NewTicker(5 * time.Millisecond) // the sink refuses to steer what it does not know
	defer again.Stop()
	for c.Steer(ctx, "", "paused") != nil {
		select {
		case <-again.C:
		case <-ctx.Done():
			f.t.Fatal("no run came to be paused")
		}
	}
	return c
}

// awaitLedger waits until n tasks are settled, by asking: where the sink dies, so do events.
func (f *farm) awaitLedger(n int) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := f.client()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		s, err := c.Status(ctx)
		if err == nil && s.Settled >= uint64(n) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			f.t.Fatalf("%d settled tasks: not within %v", n, limit)
		}
	}
}

// account is a run's last line: found = done + skipped + rejected + dead.
type account struct{ found, done, skipped, rejected, dead int }

var accountLine = regexp.MustCompile(`^(\d+) images found = (\d+) done \+ (\d+) skipped \+ (\d+) rejected \+ (\d+) dead: balanced$`)

// account returns the summary of a ventilator that has ended. One that does not balance fails the test.
func (p *process) account() (a account) {
	p.t.Helper()
	for _, line := range p.Log() {
		m := accountLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for i, n := range []*int{&a.found, &a.done, &a.skipped, &a.rejected, &a.dead} {
			*n, _ = strconv.Atoi(m[i+1]) // digits, the expression says
		}
		if a.found != a.done+a.skipped+a.rejected+a.dead {
			p.t.Fatalf("%s says balanced and is not: %q", p.Name, line)
		}
		return a
	}
	p.t.Fatalf("%s printed no balanced summary", p.Name)
	return a
}

func (p *process) mustAccount(want account) {
	p.t.Helper()
	if got := p.account(); got != want {
		p.t.Fatalf("the summary says %+v, not %+v", got, want)
	}
}

// photos are the names below testdata/photos, slash-separated.
func photos(t *testing.T) []string {
	t.Helper()
	return filesBelow(t, filepath.Join(root, "testdata", "photos"))
}

// filesBelow lists the files below dir, without those of hidden directories, sorted.
func filesBelow(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != dir {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			rel, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

// thumbnails are the names that the default recipe makes of those images.
func thumbnails(images []string) (names []string) {
	for _, name := range images {
		ext := filepath.Ext(name)
		stem := strings.TrimSuffix(name, ext)
		if ext == ".bmp" { // a format that is read and not written
			ext = ".jpg"
		}
		for _, size := range []string{"64", "128", "256"} {
			names = append(names, stem+"_thumbnail"+size+ext)
		}
	}
	slices.Sort(names)
	return names
}

// mustHold fails when dir does not hold exactly the thumbnails of those images.
func mustHold(t *testing.T, dir string, images []string) {
	t.Helper()
	got, want := filesBelow(t, dir), thumbnails(images)
	for _, name := range want {
		if _, ok := slices.BinarySearch(got, name); !ok {
			t.Errorf("output %q is missing", name)
		}
	}
	for _, name := range got {
		if _, ok := slices.BinarySearch(want, name); !ok {
			t.Errorf("%q is no output of this run", name)
		}
	}
}
