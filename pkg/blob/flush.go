package blob

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxNoted is how many outputs may wait for a Flush before Put syncs them itself, so that memory stays bounded when
// nobody flushes.
const maxNoted = 4096

// notes records what the next Flush must make durable, and what it must report.
type notes struct {
	written int             // outputs put since the last Flush
	outputs []string        // their names, if they have to be synced
	dirs    map[string]bool // the directories whose entries changed, if they have to be synced
	lost    error           // some of it is not there any more
}

// wrote records that name was written in s, and that the directories from made down to its own are new.
func (d *Dir) wrote(s *session, name, made string) {
	d.mu.Lock()
	if d.cur == nil || !os.SameFile(d.cur.info, s.info) {
		d.note.lost = errReplaced
		d.mu.Unlock()
		return
	}
	d.note.written++
	if d.cfg.Sync != SyncBatch {
		d.mu.Unlock()
		return
	}
	d.note.outputs = append(d.note.outputs, name)
	if d.note.dirs == nil {
		d.note.dirs = make(map[string]bool)
	}
	for _, dir := range changedDirs(path.Dir(name), made) {
		d.note.dirs[dir] = true
	}
	full := len(d.note.outputs) >= maxNoted
	d.mu.Unlock()
	if full {
		d.flushing.Lock()
		defer d.flushing.Unlock()
		if err := d.flush(s); err != nil && !unopened(err) {
			d.mu.Lock()
			d.note.lost = err // the next Flush reports it; this output may be fine
			d.mu.Unlock()
		}
	}
}

// changedDirs returns the directories whose entries changed when an output appeared in dir and the directories from
// made (if any) down to dir were made for it: dir itself, and on to the parent of made.
func changedDirs(dir, made string) []string {
	dirs := []string{dir}
	for made != "" && dir != path.Dir(made) && dir != "." {
		dir = path.Dir(dir)
		dirs = append(dirs, dir)
	}
	return dirs
}

// Flush makes durable whatever was put before it was called: contents, names and new directories. With SyncEach and
// SyncNever there is nothing to sync, and Flush only makes sure that the directory is still the one that was written
// to.
//
// An ErrUnavailable (the directory is gone, or too many files are open) passes, and Flush may be called again. An
// ErrLost does not: the directory was replaced by another, or the disk reported that it failed to write, and what
// was put since the last Flush must be put again. It is reported once.
func (d *Dir) Flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.flushing.Lock()
	defer d.flushing.Unlock()
	s, err := d.current(nil)
	if err != nil {
		return err
	}
	err = d.flush(s)
	if unopened(err) {
		return unusable(d.path, err)
	}
	if err != nil {
		// The kernel reports a failed write once and then forgets the data: to sync again would succeed, and lie.
		return &Fault{Kind: ErrLost, Op: "make durable what was written in", Dir: d.path, Err: cause(err)}
	}
	return nil
}

// errReplaced says that outputs are lost because their directory was replaced by another.
var errReplaced = errors.New("the directory has been replaced by another")

// flush syncs what is noted. What it could not open stays noted. The caller holds d.flushing.
func (d *Dir) flush(s *session) error {
	d.mu.Lock()
	todo := d.note
	d.note = notes{}
	d.mu.Unlock()
	if todo.lost != nil || len(todo.outputs) == 0 {
		return todo.lost
	}
	err := d.sync(s, todo)
	if unopened(err) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.note.written += todo.written
		d.note.outputs = append(todo.outputs, d.note.outputs...)
		for dir := range d.note.dirs {
			todo.dirs[dir] = true
		}
		d.note.dirs = todo.dirs
	}
	return err
}

// openError says that a file could not be opened to be synced, because too many files are open. Nothing is lost by
// that.
type openError struct{ error }

// opening wraps the error of opening a file in an openError if too many files are open.
func opening(err error) error {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		return openError{err}
	}
	return err
}

func (e openError) Unwrap() error { return e.error }

// unopened reports whether all errors that err joins are openErrors.
func unopened(err error) bool {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			if !unopened(err) {
				return false
			}
		}
		return true
	}
	var open openError
	return errors.As(err, &open)
}

// One call syncs the whole file system, which is cheap unless other programs write much to it, too. After a call
// that took longer than slowSync, the next spareFlushes Flushes sync file by file.
const (
	slowSync     = 250 * time.Millisecond
	spareFlushes = 50
)

// sync makes durable what todo lists. The caller holds d.flushing.
func (d *Dir) sync(s *session, todo notes) error {
	if len(todo.outputs) > syncEachUpTo && d.spare == 0 {
		begun := time.Now()
		if done, err := s.syncAll(); done {
			if time.Since(begun) > slowSync {
				d.spare = spareFlushes
			}
			return err
		}
	}
	d.spare = max(0, d.spare-1)
	var all []func() error
	for _, name := range todo.outputs {
		all = append(all, func() error { return s.syncOne(filepath.FromSlash(name)) })
	}
	for dir := range todo.dirs {
		all = append(all, func() error { return s.syncDir(dir) })
	}
	return together(all)
}

// together calls all, a few at a time: file systems commit syncs that run at the same time together. It returns the
// errors joined.
func together(all []func() error) error {
	var next atomic.Int64
	errs := make([]error, min(8, len(all)))
	var callers sync.WaitGroup
	for i := range errs {
		callers.Go(func() {
			for errs[i] == nil {
				n := int(next.Add(1)) - 1
				if n >= len(all) {
					return
				}
				errs[i] = all[n]()
			}
		})
	}
	callers.Wait()
	return errors.Join(errs...)
}

// syncOne syncs the file name. A file that was removed since needs no sync.
func (s *session) syncOne(name string) error {
	flag := os.O_RDONLY // the umask may have left us no more
	if runtime.GOOS == "windows" {
		flag = os.O_RDWR // nothing else can be synced there
	}
	f, err := s.root.OpenFile(name, flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return opening(err)
	}
	return errors.Join(f.Sync(), f.Close())
}

func (s *session) syncDirs(dir, made string) error {
	for _, dir := range changedDirs(dir, made) {
		if err := s.syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes durable which names the directory dir, slash-separated, holds.
func (s *session) syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there; NTFS journals them
	}
	f, err := s.root.Open(filepath.FromSlash(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return opening(err)
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil // some network file systems sync no directories: their servers keep names safe at once
	}
	return errors.Join(err, f.Close())
}
