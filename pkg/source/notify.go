package source

import (
	"errors"
	"sync"

	"github.com/fsnotify/fsnotify"
)

// notifier tells which files of directories change. It may miss changes, and says so where it knows.
type notifier interface {
	// Add also watches a directory, not those below it. Adding one twice is no error.
	Add(dir string) error

	// Changed is signalled when Take has something to tell.
	Changed() <-chan struct{}

	// Take returns the paths that have changed since the last call. missed says that there were others, too.
	Take() (paths []string, missed bool)

	// Watched returns how many directories are watched.
	Watched() int

	Close() error
}

// kernelNotifier asks the operating system.
type kernelNotifier struct {
	watcher *fsnotify.Watcher
	changed chan struct{}
	done    sync.WaitGroup

	mu     sync.Mutex
	paths  map[string]struct{}
	missed bool
}

// maxNotices bounds the paths that wait to be taken. Beyond, a rescan finds what changed.
const maxNotices = 1 << 16

// newNotifier returns a notifier. The caller closes it.
func newNotifier() (notifier, error) {
	w, err := fsnotify.NewBufferedWatcher(256)
	if err != nil {
		return nil, err
	}
	k := &kernelNotifier{watcher: w, changed: make(chan struct{}, 1), paths: make(map[string]struct{})}
	k.done.Go(k.receive)
	return k, nil
}

func (k *kernelNotifier) receive() {
	events, errs := k.watcher.Events, k.watcher.Errors
	for events != nil || errs != nil {
		select {
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if e.Op != fsnotify.Chmod {
				k.note(e.Name)
			}
		case err, ok := <-errs:
			if !ok {
				errs = nil
				continue
			}
			if err != nil { // such as an overflow of the kernel's queue
				k.note("")
			}
		}
	}
}

// note keeps a path; empty: something unknown has changed.
func (k *kernelNotifier) note(path string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if path == "" || len(k.paths) >= maxNotices {
		k.missed = true
	} else {
		k.paths[path] = struct{}{}
	}
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

// Add implements notifier.
func (k *kernelNotifier) Add(dir string) error { return k.watcher.Add(dir) }

// Changed implements notifier.
func (k *kernelNotifier) Changed() <-chan struct{} { return k.changed }

// Take implements notifier.
func (k *kernelNotifier) Take() (paths []string, missed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for path := range k.paths {
		paths = append(paths, path)
	}
	clear(k.paths)
	missed, k.missed = k.missed, false
	return paths, missed
}

// Watched implements notifier.
func (k *kernelNotifier) Watched() int { return len(k.watcher.WatchList()) }

// Close implements notifier.
func (k *kernelNotifier) Close() error {
	err := k.watcher.Close()
	k.done.Wait()
	if errors.Is(err, fsnotify.ErrClosed) {
		return nil
	}
	return err
}
