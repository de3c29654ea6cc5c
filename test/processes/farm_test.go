//go:build unix

package processes

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// farm is a farm as its users run it.
type farm struct {
	*farmtest.Farm
	t *testing.T
}

func newFarm(t *testing.T) *farm {
	t.Helper()
	return &farm{farmtest.New(t, programs, filepath.Join(t.TempDir(), "out")), t}
}

// entries returns the whole ledger.
func (f *farm) entries() []wire.Receipt {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := f.Client()
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
func (f *farm) steer(state outcome.RunState) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := f.Client().Steer(ctx, "", state); err != nil {
		f.t.Fatal(err)
	}
}

// startPaused starts a ventilator whose run is paused before there is a worker, and resumes it over a connection
// that is open already.
func (f *farm) startPaused(args ...string) (ventilator *farmtest.Process, resume func()) {
	f.t.Helper()
	ventilator = f.StartVentilator(args...)
	c := f.pauseAtOnce()
	ventilator.Await("an operator changed the state of the run", "state", "paused")
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
	c := f.Client()
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
	f.awaitStatus(fmt.Sprint(n, " settled tasks"), func(s *wire.Status) bool { return s.Settled >= uint64(n) })
}

// awaitMalformed waits until the sink has counted n malformed messages.
func (f *farm) awaitMalformed(n int) {
	f.t.Helper()
	f.awaitStatus(fmt.Sprint(n, " malformed messages"), func(s *wire.Status) bool { return s.Malformed >= uint64(n) })
}

// awaitStatus asks the sink again and again until its status is as it should be.
func (f *farm) awaitStatus(what string, reached func(*wire.Status) bool) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	c := f.Client()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		s, err := c.Status(ctx)
		if err == nil && reached(s) {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			f.t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// account is a run's last line: found = done + skipped + rejected + dead.
type account struct{ found, done, skipped, rejected, dead int }

var accountLine = regexp.MustCompile(`^(\d+) images? found = (\d+) done ` +
	`\+ (\d+) skipped \+ (\d+) rejected \+ (\d+) dead: balanced$`)

// accountOf returns the summary of a ventilator that has ended. One that does not balance fails the test.
func accountOf(t *testing.T, p *farmtest.Process) (a account) {
	t.Helper()
	for _, line := range p.Log() {
		m := accountLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		for i, n := range []*int{&a.found, &a.done, &a.skipped, &a.rejected, &a.dead} {
			*n, _ = strconv.Atoi(m[i+1]) // digits, the expression says
		}
		if a.found != a.done+a.skipped+a.rejected+a.dead {
			t.Fatalf("%s says balanced and is not: %q", p.Name, line)
		}
		return a
	}
	t.Fatalf("%s printed no balanced summary", p.Name)
	return a
}

func mustAccount(t *testing.T, p *farmtest.Process, want account) {
	t.Helper()
	if got := accountOf(t, p); got != want {
		t.Fatalf("the summary says %+v, not %+v", got, want)
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
