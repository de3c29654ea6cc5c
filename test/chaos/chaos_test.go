//go:build unix

// Package chaos kills, freezes and cuts real processes at random and then counts: make chaos.
package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

var (
	seed   = flag.Uint64("chaos.seed", 0, "replays the faults of that seed; 0: a new one")
	images = flag.Int("chaos.images", 300, "images of a run")
	faults = flag.Int("chaos.faults", 15, "faults that a run must have seen")
	kind   = flag.String("chaos.way", "files", "from where to where: files, buckets (both ways), shards (from URLs)")
	pace   = flag.Duration("chaos.pace", 250*time.Millisecond, "mean pause between faults")
)

// stage is the farm under attack.
type stage struct {
	t          *testing.T
	rng        *rand.Rand
	dir        string
	bin        string
	farm       *farmtest.Farm
	sink       *role
	workers    []*role
	ventilator *role
	toTasks    *proxy
	toResults  *proxy
	plain      int // arguments of the ventilator without --force
	count      map[string]int
	way        way
	images     int            // of a run
	faults     int            // that a run must have seen
	mending    sync.WaitGroup // those who start again what was killed
}

func newStage(t *testing.T, seed uint64, kind string, images, faults int) *stage {
	t.Helper()
	s := &stage{t: t, rng: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), bin: build(t), count: make(map[string]int),
		images: images, faults: faults}
	album(t, filepath.Join(s.dir, "in"), s.images)
	s.way = newWay(t, kind, s.dir, filepath.Join(s.dir, "in"))
	s.farm = farmtest.New(t, s.bin, s.way.out)
	var err error
	if s.toTasks, err = newProxy(strings.TrimPrefix(s.farm.Tasks, "tcp://"), seed); err != nil {
		t.Fatal(err)
	}
	if s.toResults, err = newProxy(strings.TrimPrefix(s.farm.Results, "tcp://"), seed); err != nil {
		t.Fatal(err)
	}
	s.sink = &role{name: "sink", bin: s.bin + "/sink", env: s.way.environ, args: append([]string{"--out", s.out(),
		"--http", "", "--control", s.farm.Control, "--events", s.farm.Events, "--results", s.farm.Results},
		s.way.ledger...)}
	s.ventilator = &role{name: "ventilator", bin: s.bin + "/ventilator", env: s.way.environ, args: append([]string{
		"--http", "", "--bind", s.farm.Tasks, "--control", s.farm.Control, "--events", s.farm.Events,
		"--progress", "json", "--lease", "5s"}, s.way.input...)}
	s.plain = len(s.ventilator.args)
	for i := range 4 {
		s.workers = append(s.workers, &role{name: fmt.Sprint("worker", i), bin: s.bin + "/worker",
			args: []string{"--http", "",
				"--slots", "1", "--name", fmt.Sprint("w", i), "--ventilator", s.toTasks.addr(), "--results", s.toResults.addr()}})
	}
	return s
}

func (s *stage) out() string { return s.farm.Out }

// fault does one thing that happens to farms and says what.
func (s *stage) fault() string {
	w := s.workers[s.rng.IntN(len(s.workers))]
	pause := time.Duration(s.rng.IntN(1500)) * time.Millisecond
	switch n := s.rng.IntN(100); {
	case n < 30:
		s.killed(w, pause)
		return "kill worker"
	case n < 42:
		w.signal(syscall.SIGSTOP)
		s.later(4*pause, func() { w.signal(syscall.SIGCONT) })
		return "freeze worker"
	case n < 47:
		w.signal(syscall.SIGSTOP)
		s.later(pause, func() {
			w.kill()
			w.start(s.t)
		})
		return "freeze and kill worker"
	case n < 57:
		s.killed(s.sink, pause)
		return "kill sink"
	case n < 62:
		s.sink.signal(syscall.SIGSTOP)
		s.later(pause, func() { s.sink.signal(syscall.SIGCONT) })
		return "freeze sink"
	case n < 67:
		s.ventilator.signal(syscall.SIGKILL) // conduct starts it again
		return "kill ventilator"
	case n < 70:
		w.signal(syscall.SIGTERM)
		s.later(pause+time.Second, func() {
			w.kill() // if it still drains
			w.start(s.t)
		})
		return "drain worker"
	case n < 85:
		s.toTasks.reset(s.rng.IntN(3) == 0)
		return "cut tasks"
	case n < 95:
		s.toResults.reset(s.rng.IntN(3) == 0)
		return "cut results"
	}
	for _, p := range []*proxy{s.toTasks, s.toResults} {
		p.delay.Store(int64(20 * time.Millisecond))
		s.later(pause, func() { p.delay.Store(0) })
	}
	return "delay"
}

// later does something after a pause, unless the farm has ended; conduct waits for it.
func (s *stage) later(pause time.Duration, do func()) {
	s.mending.Go(func() {
		time.Sleep(pause) // the fault's length
		do()
	})
}

func (s *stage) killed(r *role, pause time.Duration) {
	r.kill()
	s.later(pause, func() { r.start(s.t) })
}

// conduct runs the farm, with faults, until its ventilator has ended by itself, and returns that one's output.
func (s *stage) conduct() string {
	s.sink.start(s.t)
	for _, w := range s.workers {
		w.start(s.t)
	}
	s.ventilator.start(s.t)
	deadline := time.After(15 * time.Minute)
	total := 0
	for {
		pause := time.Duration(s.rng.ExpFloat64() * float64(*pace))
		if total >= s.faults {
			pause *= 10 // enough was broken; now and then something still breaks
		}
		select {
		case <-s.ventilator.done():
			if s.ventilator.code() < 0 { // killed
				s.ventilator.start(s.t)
				continue
			}
			if total >= s.faults {
				s.mending.Wait()
				s.t.Logf("%d faults: %v", total, s.count)
				return s.ventilator.running().Said()
			}
			// Too quick: everything once more.
			s.expectAll(s.ventilator.running().Said())
			s.ventilator.args = append(s.ventilator.args[:s.plain:s.plain], "--force")
			s.ventilator.start(s.t)
		case <-deadline:
			for _, r := range append(s.workers, s.sink, s.ventilator) {
				s.t.Logf("%s: %s", r.name, r.tail(3000))
			}
			s.t.Fatal("the run does not end")
		case <-time.After(pause):
			s.count[s.fault()]++
			total++
			s.mendOne()
		}
	}
}

// expectAll checks a ventilator's summary: every image is accounted for, and none died.
func (s *stage) expectAll(out string) {
	s.t.Helper()
	sum := lastSummary(s.t, out)
	s.t.Logf("%+v", sum)
	if sum.Found != s.images || !sum.Balanced || sum.Dead != 0 || sum.Done+sum.Skipped+sum.Rejected != s.images {
		s.t.Errorf("not every image is accounted for: %+v\n%s", sum, s.ventilator.tail(3000))
	}
}

// mendOne waits when too much is broken at once: a farm of which nothing is left does no work.
func (s *stage) mendOne() {
	up := 0
	for _, w := range s.workers {
		select {
		case <-w.done():
		default:
			up++
		}
	}
	if up == 0 {
		s.mending.Wait()
	}
}

// end kills what still runs; twice is fine.
func (s *stage) end() {
	s.mending.Wait()
	for _, r := range append(s.workers, s.ventilator, s.sink) {
		if r.running() != nil {
			r.signal(syscall.SIGCONT)
			r.kill()
		}
	}
	s.toTasks.close()
	s.toResults.close()
}

// watch looks at every output that appears under its final name: it must be whole from the first moment.
func watch(t *testing.T, out string, stop <-chan struct{}) (seen int) {
	known := make(map[string]time.Time)
	look := func() {
		_ = filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil // not there yet
			}
			if d.Name() == ".imagefarm" {
				return fs.SkipDir
			}
			info, err := d.Info()
			if err != nil || d.IsDir() || known[path].Equal(info.ModTime()) {
				return nil
			}
			b, err := os.ReadFile(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				t.Error(err)
				return nil
			}
			known[path] = info.ModTime()
			if _, _, err := image.Decode(bytes.NewReader(b)); err != nil {
				t.Errorf("%s was visible and not whole (%d bytes): %v", path, len(b), err)
			}
			return nil
		})
	}
	for {
		select {
		case <-stop:
			look()
			return len(known)
		case <-time.After(50 * time.Millisecond):
			look()
		}
	}
}

// tree returns the outputs below dir by name.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := make(map[string][]byte)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && d.Name() != ".imagefarm" {
			return err
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		b, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = b
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// summary is the last line of --progress json.
type summary struct {
	MessageType                           string `json:"message_type"`
	Found, Done, Skipped, Rejected, Dead  int
	Deliveries, Redeliveries, Speculative int
	Balanced                              bool
}

func lastSummary(t *testing.T, out string) summary {
	t.Helper()
	var last summary
	for line := range strings.Lines(out) {
		var s summary
		if json.Unmarshal([]byte(line), &s) == nil && s.MessageType == "summary" {
			last = s
		}
	}
	if last.MessageType == "" {
		t.Fatalf("no summary in:\n%s", out)
	}
	return last
}

func TestNothingIsLostWhateverIsKilled(t *testing.T) { attack(t, *kind, *images, *faults) }

// Few images and faults, so that every run of the tests goes these ways, too.
func TestNothingIsLostFromBucketToBucket(t *testing.T) {
	attack(t, "buckets", min(*images, 80), min(*faults, 6))
}
func TestNothingIsLostFromURLsIntoShards(t *testing.T) {
	attack(t, "shards", min(*images, 80), min(*faults, 6))
}

// attack runs a farm under attack, and compares what it made with what an undisturbed run makes.
func attack(t *testing.T, kind string, images, faults int) {
	if *seed == 0 {
		*seed = rand.Uint64()
	}
	t.Logf("seed %d: go test ./test/chaos -run Whatever -chaos.way %s -chaos.seed %d -chaos.images %d replays", *seed,
		kind, *seed, images)
	s := newStage(t, *seed, kind, images, faults)
	t.Cleanup(s.end)
	stop, watched := make(chan struct{}), make(chan int)
	go func() { watched <- watch(t, filepath.Join(s.dir, "out"), stop) }() // of files alone
	out := s.conduct()
	close(stop)
	t.Logf("%d outputs watched as they appeared", <-watched)
	s.expectAll(out)
	s.end()

	// The same without faults: what is made must not depend on what was killed.
	calm := filepath.Join(s.dir, "calm")
	run := s.farm.Start("farm", "farm", "run", "-q", "--http", "", "--out", calm, filepath.Join(s.dir, "in"))
	if code := run.Wait(); code != 0 && code != 3 {
		t.Fatalf("the undisturbed run ended with %d:\n%s", code, run.Said())
	}
	// A sink that starts sweeps what was left of those killed.
	s.sink.start(t)
	s.farm.Start("farm", "farm", "status", "--control", s.farm.Control, "--timeout", "30s").MustExit(0)
	if s.way.sealed {
		s.seal()
	}
	s.sink.kill()
	want, got := tree(t, calm), s.way.outputs()
	for name, b := range want {
		if !bytes.Equal(b, got[name]) {
			t.Errorf("%s: %d bytes after the chaos, %d without", name, len(got[name]), len(b))
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s was made in the chaos alone", name)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "*", ".imagefarm", "tmp", "*", "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left over: %v, %v", left, err)
	}
}
