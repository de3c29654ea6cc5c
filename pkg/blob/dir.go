package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket"
)

// Sync says when a Dir makes outputs durable. The package documentation says what each way costs and promises.
type Sync string

// The ways of syncing.
const (
	SyncBatch Sync = "batch" // Flush syncs what was put since the last one
	SyncEach  Sync = "each"  // Put syncs the file before its name appears, and the name after
	SyncNever Sync = "never" // nothing is synced: a power cut may take back what the ledger calls done
)

// Config is how a store works. The zero Config is valid.
type Config struct {
	// Sync says when outputs are made durable. Default (empty): SyncBatch.
	Sync Sync

	// ReadOnly opens a directory that must exist for Stat and Open alone, and makes nothing there. Default: false.
	ReadOnly bool

	// Bucket says how a bucket is reached. A directory needs none of it, nor of the next three.
	Bucket bucket.Config

	// StatTimeout bounds a look at an object, and its removal, retries included. Default: a minute.
	StatTimeout time.Duration

	// CacheControl is the header of that name of each object that is written. Default: none.
	CacheControl string

	// StorageClass is that of each object that is written. Default: the bucket's.
	StorageClass string
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	switch c.Sync {
	case "", SyncBatch, SyncEach, SyncNever:
		return nil
	}
	return fmt.Errorf("sync is %q, which is none of batch, each and never", c.Sync)
}

// Dir keeps outputs in a directory. Several processes may share one directory; the methods of a Dir may be called
// concurrently. It follows its path: when the directory is deleted and made again, or another file system is mounted
// there, calls fail with ErrUnavailable while the path names nothing, and succeed again afterwards. Symbolic links of
// the path are followed once, by OpenDir. If one leads elsewhere later, nothing changes; if one takes the place of a
// directory, calls fail with ErrUnavailable until it is gone. So nobody who may write to a directory above, such as
// /tmp, can lead outputs elsewhere by a link.
type Dir struct {
	path string // as an operator knows it; absolute, so that a later change of the working directory does not matter
	real string // where path led when it was opened, without symbolic links
	cfg  Config

	mu   sync.RWMutex
	cur  *session // the directory as it was last found; nil after Close
	note notes    // what Flush has to do, and to tell

	flushing sync.Mutex // held by the one Flush that is at work
	spare    int        // how many Flushes are not to sync the whole file system; guarded by flushing
}

var _ Store = (*Dir)(nil)

// OpenDir opens the directory at path, and creates it if it is missing. It creates a directory of its own for
// temporary files in it. The caller closes the Dir.
func OpenDir(path string, cfg Config) (*Dir, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Sync == "" {
		cfg.Sync = SyncBatch
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fault("open the directory", "", path, err)
	}
	if !cfg.ReadOnly {
		if err := os.MkdirAll(abs, 0o777); err != nil {
			return nil, fault("make the directory", "", abs, err)
		}
	}
	real, err := filepath.EvalSymlinks(abs)
	if err != nil {
		return nil, fault("open the directory", "", abs, err)
	}
	s, err := openSession(real, cfg.ReadOnly)
	if err != nil {
		return nil, fault("open the directory", "", abs, err)
	}
	return &Dir{path: abs, real: real, cfg: cfg, cur: s}, nil
}

// Path returns the directory's absolute path.
func (d *Dir) Path() string { return d.path }

// Close removes the Dir's directory for temporary files. It does not flush.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cur == nil {
		return nil
	}
	err := d.cur.close()
	d.cur = nil
	return fault("close", "", d.path, err)
}

// Put makes data readable under name, complete or not at all, and replaces what was there. It creates missing
// directories. Modes are 0666 for files and 0777 for directories, less the umask. Config.Sync says when the output
// is durable.
func (d *Dir) Put(ctx context.Context, name string, data []byte) error {
	return d.put(ctx, name, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// PutFrom is Put of what open returns, which is copied a piece at a time, however large it is. A piece that is all
// zeros becomes a hole, so that the copy of a sparse file is sparse, too. PutFrom closes what open returns, and may
// call open twice. An error of open, and of reading, is returned as it is.
func (d *Dir) PutFrom(ctx context.Context, name string, open func() (io.ReadCloser, error)) error {
	var readErr error
	err := d.put(ctx, name, func(f *os.File) (err error) {
		var data io.ReadCloser
		if data, readErr = open(); readErr != nil {
			return errRead
		}
		defer data.Close()
		readErr, err = copySparse(ctx, f, data)
		return err
	})
	if readErr != nil {
		return readErr
	}
	return err
}

// put makes what fill writes readable under name.
func (d *Dir) put(ctx context.Context, name string, fill func(*os.File) error) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.cfg.ReadOnly {
		return &Fault{Kind: ErrObstructed, Op: "write", Name: name, Dir: d.path, Why: "it was opened for reading only"}
	}
	return d.do("write", name, func(s *session) error {
		made, err := s.put(filepath.FromSlash(name), fill, d.cfg.Sync == SyncEach)
		if err != nil {
			return err
		}
		if d.cfg.Sync == SyncEach {
			if err := s.syncDirs(path.Dir(name), made); err != nil {
				return err
			}
		}
		d.wrote(s, name, made)
		return nil
	})
}

// Stat returns the size in bytes of the output name. The error for an output that is not there is fs.ErrNotExist.
func (d *Dir) Stat(name string) (int64, error) {
	if err := CheckName(name); err != nil {
		return 0, err
	}
	var size int64
	err := d.do("look up", name, func(s *session) error {
		info, err := s.root.Stat(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		size = info.Size()
		return regular(name, info)
	})
	return size, err
}

// Open returns the output name; the caller closes it. The error for an output that is not there is fs.ErrNotExist.
func (d *Dir) Open(name string) (io.ReadSeekCloser, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	var file *os.File
	err := d.do("open", name, func(s *session) error {
		// Asked first, since opening something else, such as a pipe, may wait for ever.
		info, err := s.root.Stat(filepath.FromSlash(name))
		if err == nil {
			err = regular(name, info)
		}
		if err == nil {
			file, err = s.root.Open(filepath.FromSlash(name))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return file, nil
}

// Remove removes the output name. Removing an output that is not there is no error.
func (d *Dir) Remove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	err := d.do("remove", name, func(s *session) error {
		info, err := s.root.Lstat(filepath.FromSlash(name))
		if err == nil && info.IsDir() {
			err = regular(name, info)
		}
		if err == nil {
			err = s.root.Remove(filepath.FromSlash(name))
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrUnavailable) {
		return nil
	}
	return err
}

// RemoveEmptyAbove removes the directories above the output name that are empty, from the deepest upwards. It removes
// neither the Dir's own directory nor a link. It is for a caller that has just removed the output.
func (d *Dir) RemoveEmptyAbove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return d.do("remove the directories above", name, func(s *session) error {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			at := filepath.FromSlash(dir)
			if info, err := s.root.Lstat(at); err != nil || !info.IsDir() {
				return nil
			}
			entries, err := fs.ReadDir(s.root.FS(), dir)
			if err != nil || len(entries) > 0 {
				return nil
			}
			if err := s.root.Remove(at); err != nil { // somebody has just put something there
				return nil
			}
		}
		return nil
	})
}

// regular returns an error if what has that name is not a regular file.
func regular(name string, info fs.FileInfo) error {
	if info.Mode().IsRegular() {
		return nil
	}
	return &Fault{Kind: ErrObstructed, Op: "use", Name: name, Why: "what has that name is not a regular file"}
}

// do calls f with the current session. It calls f a second time if the directory was replaced, or the directory for
// temporary files removed, while f ran.
func (d *Dir) do(op, name string, f func(*session) error) error {
	for failed := (*session)(nil); ; {
		s, err := d.current(failed)
		if err != nil {
			return err
		}
		err = f(s)
		if err == nil {
			return nil
		}
		if failed == nil && (errors.Is(err, errNoTemp) || errors.Is(err, os.ErrClosed)) {
			failed = s
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("no output %s in %s: %w", quoted(name), d.path, fs.ErrNotExist)
		}
		return fault(op, name, d.path, err)
	}
}

// current returns the session of the directory that the path names now. It opens a new session if the path names
// another directory than before, or if the present session is failed.
func (d *Dir) current(failed *session) (*session, error) {
	info, err := os.Stat(d.real) // links matter only if it leads to another directory than before
	if err != nil {
		return nil, gone(d.path, err)
	}
	d.mu.RLock()
	s := d.cur
	d.mu.RUnlock()
	if s == nil {
		return nil, errClosed(d.path)
	}
	if s != failed && os.SameFile(info, s.info) {
		return s, nil
	}
	return d.reopen(s)
}

// reopen replaces the session old, unless another goroutine has done so already.
func (d *Dir) reopen(old *session) (*session, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cur == nil {
		return nil, errClosed(d.path)
	}
	if d.cur != old {
		return d.cur, nil
	}
	s, err := openSession(d.real, d.cfg.ReadOnly)
	if err != nil {
		return nil, unusable(d.path, err)
	}
	if !os.SameFile(s.info, old.info) && d.note.written > 0 {
		d.note = notes{lost: errReplaced}
	}
	_ = old.close() // its directory is gone or replaced: there is nothing left to fail
	d.cur = s
	return s, nil
}

// unusable makes err an ErrUnavailable: what the path names now cannot be used until an operator repairs it.
func unusable(dir string, err error) error {
	var f *Fault
	if err = fault("use", "", dir, err); errors.As(err, &f) {
		f.Kind = ErrUnavailable
	}
	return err
}

func gone(dir string, err error) error {
	why := "the directory cannot be looked at"
	if errors.Is(err, fs.ErrNotExist) {
		why = "the directory is gone"
	}
	return &Fault{Kind: ErrUnavailable, Op: "use", Dir: dir, Why: why, Err: cause(err)}
}

func errClosed(dir string) error {
	return &Fault{Kind: ErrObstructed, Op: "use", Dir: dir, Why: "the store is closed", Err: os.ErrClosed}
}
