package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestFilesSettle(t *testing.T) {
	s, start := newSettling(2*time.Second), time.Unix(0, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	if s.note("a", "1", at(0)) || s.note("a", "2", at(1500)) || s.note("a", "2", at(3400)) {
		t.Error("a file is final that has changed two seconds ago at most")
	}
	s.note("b", "1", at(3000))
	if d, any := s.next(at(3400)); !any || d != 100*time.Millisecond {
		t.Errorf("next in %v, %v", d, any)
	}
	if got := s.due(at(3500)); !slices.Equal(got, []string{"a"}) || !s.note("a", "2", at(3500)) {
		t.Errorf("due: %v", got)
	}
	s.postpone("a", at(3500))
	if s.note("a", "2", at(5400)) || s.age("a", at(5400)) != 3900*time.Millisecond || !s.note("a", "2", at(5500)) {
		t.Error("a file that was postponed is final too early, or too late")
	}
	s.drop("a")
	s.drop("b")
	if _, any := s.next(at(9000)); any || len(s.due(at(9000))) > 0 {
		t.Error("something is still waited for")
	}
}

// told is a notifier that tells what a test says.
type told struct {
	changed chan struct{}
	full    int // directories that can be watched; 0: all

	mu     sync.Mutex
	dirs   map[string]bool
	paths  []string
	missed bool
}

func (n *told) Add(dir string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.full > 0 && len(n.dirs) >= n.full && !n.dirs[dir] {
		return errors.New("no space left on device")
	}
	n.dirs[dir] = true
	return nil
}

func (n *told) Changed() <-chan struct{} { return n.changed }

func (n *told) Take() (paths []string, missed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	paths, missed = n.paths, n.missed
	n.paths, n.missed = nil, false
	return paths, missed
}

func (n *told) Watched() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.dirs)
}

func (n *told) Close() error { return nil }

// tell says that a path has changed; empty: that changes were missed.
func (n *told) tell(path string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if path == "" {
		n.missed = true
	} else if n.dirs[filepath.Dir(path)] || n.dirs[path] {
		n.paths = append(n.paths, path)
	}
	select {
	case n.changed <- struct{}{}:
	default:
	}
}

// watching is a watch in virtual time. Files have real times, which are always new in it.
type watching struct {
	t       *testing.T
	dir     string
	kernel  *told
	mu      sync.Mutex
	visited []string
	stop    context.CancelFunc
	ended   chan error
}

func watch(t *testing.T, dir string, kernel *told) *watching {
	t.Helper()
	s, err := Parse(dir, nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := WatchConfig{}
	if kernel == nil {
		cfg.newNotifier = func() (notifier, error) { return nil, errors.New("no inotify") }
	} else {
		kernel.changed, kernel.dirs = make(chan struct{}, 1), make(map[string]bool)
		cfg.newNotifier = func() (notifier, error) { return kernel, nil }
	}
	watched, err := NewWatch([]Source{s}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	w := &watching{t: t, dir: dir, kernel: kernel, stop: stop, ended: make(chan error, 1)}
	go func() {
		w.ended <- watched.Run(ctx, func(_ Source, e Entry) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.visited = append(w.visited, e.Name)
			return nil
		}, func(Omission) {}, func() error { return nil })
	}()
	synctest.Wait()
	return w
}

func (w *watching) end() {
	w.t.Helper()
	w.stop()
	if err := <-w.ended; !errors.Is(err, context.Canceled) {
		w.t.Error(err)
	}
}

// write writes a file, and tells the watch.
func (w *watching) write(name, content string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(content), 0o666)); err != nil {
		w.t.Fatal(err)
	}
	w.tell(name)
}

func (w *watching) tell(name string) {
	if w.kernel != nil {
		w.kernel.tell(filepath.Join(w.dir, name))
	}
	synctest.Wait()
}

// after waits, and then expects that these files were visited since the last call.
func (w *watching) after(d time.Duration, want ...string) {
	w.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.visited)
	if !slices.Equal(w.visited, want) {
		w.t.Errorf("visited %q, not %q", w.visited, want)
	}
	w.visited = nil
}

func TestWatchedFilesAreVisitedOnceTheyAreFinal(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old.jpg"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir, new(told))
		defer w.end()
		w.after(2*time.Second, "old.jpg")
		w.write("slow.jpg", "1") // a slow copy
		for n := range 5 {
			time.Sleep(1500 * time.Millisecond)
			w.write("slow.jpg", strings.Repeat("x", n+2))
		}
		w.after(1900 * time.Millisecond)
		w.after(200*time.Millisecond, "slow.jpg")
		w.tell("slow.jpg") // nothing has changed
		w.after(time.Hour)

		w.write("old.jpg", "new content")
		w.write(".part.jpg", "a copy that is renamed at its end")
		w.after(3*time.Second, "old.jpg")
		if err := os.Rename(filepath.Join(dir, ".part.jpg"), filepath.Join(dir, "part.jpg")); err != nil {
			t.Fatal(err)
		}
		w.tell(".part.jpg")
		w.tell("part.jpg")
		w.after(3*time.Second, "part.jpg")

		w.write("gone.jpg", "removed before it is final")
		if err := os.Remove(filepath.Join(dir, "gone.jpg")); err != nil {
			t.Fatal(err)
		}
		w.tell("gone.jpg")
		w.after(time.Hour)
	})
}

func TestWatchedDirectoriesComeAndGo(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir, new(told))
		defer w.end()
		made := filepath.Join(elsewhere, "album", "deep")
		if err := errors.Join(os.MkdirAll(made, 0o777), os.WriteFile(filepath.Join(made, "1.jpg"), nil, 0o666)); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(elsewhere, "album"), filepath.Join(dir, "album")); err != nil {
			t.Fatal(err)
		}
		w.tell("album") // moved in, with what is in it
		w.after(3*time.Second, "album/deep/1.jpg")
		w.write("album/deep/2.jpg", "two")
		w.after(3*time.Second, "album/deep/2.jpg")
		if err := os.Rename(filepath.Join(dir, "album"), filepath.Join(elsewhere, "album")); err != nil {
			t.Fatal(err)
		}
		w.tell("album")
		w.after(time.Hour)

		// Directories into which farms write are no inputs, also when they become one later.
		w.write("out/1_thumb.jpg", "thumbnail")
		w.tell("out")
		if err := os.Mkdir(filepath.Join(dir, "out", ".imagefarm"), 0o777); err != nil {
			t.Fatal(err)
		}
		w.write("out/2_thumb.jpg", "thumbnail")
		w.after(time.Hour)
	})
}

// A card reader is unplugged, and plugged in again with one more file.
func TestWatchedDirectoryVanishesAndComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "card")
	away := dir + "-away"
	if err := errors.Join(os.Mkdir(dir, 0o777), os.WriteFile(filepath.Join(dir, "1.jpg"), nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, dir, new(told))
		defer w.end()
		w.after(3*time.Second, "1.jpg")
		if err := os.Rename(dir, away); err != nil {
			t.Fatal(err)
		}
		w.after(time.Hour)
		if err := os.WriteFile(filepath.Join(away, "2.jpg"), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(dir, 0o777); err != nil { // the mount point
			t.Fatal(err)
		}
		w.after(time.Hour)
		if err := errors.Join(os.Remove(dir), os.Rename(away, dir)); err != nil {
			t.Fatal(err)
		}
		w.after(4*time.Second, "2.jpg")
	})
}

func TestRescansFindWhatTheKernelDoesNotTell(t *testing.T) {
	for name, kernel := range map[string]*told{"no notifier": nil, "full": {full: 1}, "silent": {}} {
		dir := t.TempDir()
		synctest.Test(t, func(t *testing.T) {
			w := watch(t, dir, kernel)
			defer w.end()
			path := filepath.Join(dir, "sub", "1.jpg")
			if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, nil, 0o666)); err != nil {
				t.Fatal(err)
			}
			w.after(9 * time.Minute)
			w.after(2*time.Minute, "sub/1.jpg")
			w.after(time.Hour)
			if err := os.WriteFile(path, []byte("changed"), 0o666); err != nil {
				t.Fatal(err)
			}
			if kernel != nil { // its queue overflows
				w.kernel.tell("")
				w.after(3*time.Second, "sub/1.jpg")
			} else {
				w.after(11*time.Minute, "sub/1.jpg")
			}
		})
		if t.Failed() {
			t.Log("with", name)
		}
	}
}

func TestOnlyDirectoriesAreWatched(t *testing.T) {
	s, err := Parse("https://example.org/a.jpg", nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewWatch([]Source{s}, WatchConfig{}); err == nil {
		t.Error("a URL is watched")
	}
}

// The operating system's own notices, in real time: each file once, whatever happens to it.
func TestKernelTellsOfChanges(t *testing.T) {
	dir := t.TempDir()
	s, err := Parse(dir, nil, Config{})
	if err != nil {
		t.Fatal(err)
	}
	watched := make(chan int, 1)
	w, err := NewWatch([]Source{s}, WatchConfig{Settle: 50 * time.Millisecond, Observe: func(n int) { watched <- n }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	visited, ended := make(chan string, 100), make(chan error, 1)
	go func() {
		ended <- w.Run(ctx, func(_ Source, e Entry) error {
			visited <- e.Name
			return nil
		}, func(Omission) {}, func() error { return nil })
	}()
	if n := <-watched; n != 1 {
		t.Skipf("%d directories are watched here", n)
	}
	want := make(map[string]int)
	for i := range 20 {
		sub := filepath.Join(dir, fmt.Sprint("d", i%4))
		if err := os.Mkdir(sub, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, fmt.Sprint(i, ".jpg")), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
		want[fmt.Sprintf("d%d/%d.jpg", i%4, i)] = 1
	}
	got := make(map[string]int)
	for range want {
		select {
		case name := <-visited:
			got[name]++
		case <-time.After(20 * time.Second):
			t.Fatalf("visited %v", got)
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for name := range want {
		if got[name] != 1 {
			t.Errorf("%s was visited %d times", name, got[name])
		}
	}
}
