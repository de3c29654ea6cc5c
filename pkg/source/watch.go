package source

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// WatchConfig says how directories are watched. The zero value of an optional field means the default that its comment
// names.
type WatchConfig struct {
	Settle time.Duration // how long a file must have been the same before it is taken; default 2 s
	Rescan time.Duration // how often everything is looked at, whatever the operating system tells; default 10 min
	Logger *slog.Logger  // default: nothing is logged

	// Observe is called after each look at everything, with how many directories the operating system reports changes of.
	// Default: not called.
	Observe func(directories int)

	newNotifier    func() (notifier, error) // default: newNotifier
	isBeingWritten func(path string) bool   // default: isBeingWritten
}

func (c WatchConfig) withDefaults() WatchConfig {
	if c.Settle == 0 {
		c.Settle = 2 * time.Second
	}
	if c.Rescan == 0 {
		c.Rescan = 10 * time.Minute
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(int) {}
	}
	if c.newNotifier == nil {
		c.newNotifier = newNotifier
	}
	if c.isBeingWritten == nil {
		c.isBeingWritten = isBeingWritten
	}
	return c
}

// Watch visits the files of directories, and then those that are new or have changed, once each time.
//
// A file counts as changed when its size, its time or its inode is another. It is visited when it has been the same for
// Settle, and no program on this machine has it open for writing any more, as far as the operating system says. For
// one that stands still and is not closed, Watch waits as long as Rescan. What the operating system does not tell,
// such as changes by other machines, the next rescan finds.
type Watch struct {
	cfg   WatchConfig
	trees []*tree
	seed  maphash.Seed

	// These are owned by Run.
	notifier notifier // nil: the operating system tells nothing
	limited  bool     // it does not tell of all directories; it was logged
}

// tree is a directory that is watched.
type tree struct {
	source  *shards
	dir     *Dir
	root    fs.FileInfo       // nil: the directory is not there
	scanned bool              // completely, at least once
	seen    map[uint64]uint64 // hash of a file's name → hash of its identity, when it was visited
	pending *settling
}

// rootPeriod is how often the directories themselves are looked at, since they may vanish and come back.
const rootPeriod = time.Second

// NewWatch returns a watch of sources, which Parse has made of directories.
func NewWatch(sources []Source, cfg WatchConfig) (*Watch, error) {
	w := &Watch{cfg: cfg.withDefaults(), seed: maphash.MakeSeed()}
	for _, s := range sources {
		in, _ := s.(*shards)
		var dir *Dir
		if in != nil {
			dir, _ = in.base.(*Dir)
		}
		if dir == nil {
			return nil, fmt.Errorf("input %q: only directories can be watched", s)
		}
		w.trees = append(w.trees, &tree{
			source: in, dir: dir, seen: make(map[uint64]uint64), pending: newSettling(w.cfg.Settle),
		})
	}
	return w, nil
}

// visitor is what Run calls.
type visitor struct {
	visit func(Source, Entry) error
	omit  func(Omission)
}

// Run visits files until ctx ends, and returns its cause, or the first error of visit or idle. It calls idle whenever
// it is about to wait.
func (w *Watch) Run(
	ctx context.Context, visit func(Source, Entry) error, omit func(Omission), idle func() error,
) (err error) {
	if w.notifier, err = w.cfg.newNotifier(); err != nil {
		w.limit(err)
		w.notifier = nil
	} else {
		defer func() { err = errors.Join(err, w.notifier.Close()) }()
	}
	v := visitor{visit, omit}
	rescan, roots := time.NewTicker(w.cfg.Rescan), time.NewTicker(rootPeriod)
	defer rescan.Stop()
	defer roots.Stop()
	settled := time.NewTimer(0)
	defer settled.Stop()
	if err := w.scanAll(ctx, v); err != nil {
		return err
	}
	for {
		if err := w.visitSettled(ctx, v); err != nil {
			return err
		}
		if err := idle(); err != nil {
			return err
		}
		settled.Stop()
		if wait, any := w.next(time.Now()); any {
			settled.Reset(wait)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.changed():
			err = w.takeChanges(ctx, v)
		case <-settled.C:
		case <-roots.C:
			err = w.lookAtRoots(ctx, v)
		case <-rescan.C:
			err = w.scanAll(ctx, v)
		}
		if err != nil {
			return err
		}
	}
}

func (w *Watch) changed() <-chan struct{} {
	if w.notifier == nil {
		return nil
	}
	return w.notifier.Changed()
}

// limit says once that the operating system does not tell everything.
func (w *Watch) limit(err error) {
	if !w.limited {
		w.cfg.Logger.Warn("the operating system does not report all changes; rescans find the others",
			"why", cause(err), "every", w.cfg.Rescan)
	}
	w.limited = true
}

func (w *Watch) next(now time.Time) (wait time.Duration, any bool) {
	for _, t := range w.trees {
		if d, is := t.pending.next(now); is && (!any || d < wait) {
			wait, any = d, true
		}
	}
	return wait, any
}

func (w *Watch) hash(s string) uint64 { return maphash.String(w.seed, s) }

// scanAll looks at everything.
func (w *Watch) scanAll(ctx context.Context, v visitor) error {
	for _, t := range w.trees {
		if err := w.scan(ctx, t, v); err != nil {
			return err
		}
	}
	watched := 0
	if w.notifier != nil {
		watched = w.notifier.Watched()
	}
	w.cfg.Observe(watched)
	return nil
}

// scan looks at a whole directory, and forgets the files that are not there any more.
func (w *Watch) scan(ctx context.Context, t *tree, v visitor) error {
	root, err := os.Stat(t.dir.path)
	if err != nil {
		w.lose(t, err)
		return context.Cause(ctx)
	}
	same := t.root != nil && os.SameFile(t.root, root)
	t.root = root
	there := make(map[uint64]uint64)
	err = w.scanBelow(ctx, t, ".", v, func(name uint64) {
		if identity, is := t.seen[name]; is {
			there[name] = identity
		}
	})
	if err != nil {
		return err
	}
	t.scanned = true
	if same && len(there) > 0 { // else it may be the place of a disk that is mounted again later, with the same files
		for name := range t.seen {
			if _, is := there[name]; !is {
				delete(t.seen, name)
			}
		}
	}
	return nil
}

// scanBelow looks at a directory of a tree, and has those in it watched from now on. It calls present with the hash of
// each file's name.
func (w *Watch) scanBelow(ctx context.Context, t *tree, dir string, v visitor, present func(name uint64)) error {
	full, omit := false, v.omit
	if t.scanned { // it was told
		omit = func(Omission) {}
	}
	return t.dir.walkBelow(ctx, dir, func(name string) {
		if w.notifier == nil || full {
			return
		}
		err := w.notifier.Add(filepath.Join(t.dir.path, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			full = true // the rest would fail, too
			w.limit(err)
		}
	}, func(e Entry) error {
		present(w.hash(e.Name))
		return w.look(ctx, t, e, v)
	}, omit)
}

// look visits a file if it is final, and was not visited as it is.
func (w *Watch) look(ctx context.Context, t *tree, e Entry, v visitor) error {
	name, identity := w.hash(e.Name), w.hash(e.Identity)
	if was, is := t.seen[name]; is && was == identity {
		t.pending.drop(e.Name)
		return nil
	}
	now := time.Now()
	age := now.Sub(e.Modified)
	if old := !t.scanned && age >= w.cfg.Settle; !old { // so that the first scan does not wait
		if !t.pending.note(e.Name, e.Identity, now) {
			return nil
		}
		age = t.pending.age(e.Name, now)
	}
	if age < w.cfg.Rescan && w.cfg.isBeingWritten(filepath.Join(t.dir.path, filepath.FromSlash(e.Name))) {
		t.pending.note(e.Name, e.Identity, now)
		t.pending.postpone(e.Name, now)
		return nil
	}
	t.pending.drop(e.Name)
	t.seen[name] = identity
	return t.source.expand(ctx, e, func(e Entry) error { return v.visit(t.source, e) }, v.omit)
}

// visitSettled looks again at the files that have been the same for long enough.
func (w *Watch) visitSettled(ctx context.Context, v visitor) error {
	for _, t := range w.trees {
		for _, name := range t.pending.due(time.Now()) {
			if err := w.lookAt(ctx, t, name, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookAt looks at what has a name in a tree now: a file, a directory with all in it, or nothing.
func (w *Watch) lookAt(ctx context.Context, t *tree, name string, v visitor) error {
	info, err := os.Lstat(filepath.Join(t.dir.path, filepath.FromSlash(name)))
	if err == nil && info.IsDir() {
		return w.scanBelow(ctx, t, name, v, func(uint64) {})
	}
	if err != nil {
		t.pending.drop(name)
		return context.Cause(ctx)
	}
	found := false
	err = t.dir.lookAt(ctx, name, func(e Entry) error {
		found = true
		return w.look(ctx, t, e, v)
	}, func(Omission) {})
	if !found {
		t.pending.drop(name)
	}
	return err
}

// takeChanges looks at what the operating system says has changed.
func (w *Watch) takeChanges(ctx context.Context, v visitor) error {
	paths, missed := w.notifier.Take()
	if missed {
		return w.scanAll(ctx, v)
	}
	slices.Sort(paths)
	for _, path := range paths {
		for _, t := range w.trees {
			name, err := filepath.Rel(t.dir.path, path)
			if name = filepath.ToSlash(name); err != nil || name == ".." || strings.HasPrefix(name, "../") {
				continue
			}
			if name == "." {
				err = w.lookAtRoots(ctx, v)
			} else {
				err = w.lookAt(ctx, t, name, v)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// lookAtRoots notices directories that have vanished, came back, or were replaced by others.
func (w *Watch) lookAtRoots(ctx context.Context, v visitor) error {
	for _, t := range w.trees {
		root, err := os.Stat(t.dir.path)
		switch {
		case err != nil:
			w.lose(t, err)
		case t.root == nil || !os.SameFile(t.root, root):
			w.cfg.Logger.Info("a watched directory is there again, or is another", "directory", t.dir.path)
			if err := w.scan(ctx, t, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Watch) lose(t *tree, err error) {
	if t.root != nil {
		w.cfg.Logger.Warn("a watched directory is gone; its files are taken when it is there again",
			"directory", t.dir.path, "why", cause(err))
	}
	t.root = nil
}
