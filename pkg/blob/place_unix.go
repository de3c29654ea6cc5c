//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package blob

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// place is an open directory. It takes one system call to create a file in it, or to rename one into it. os.Root
// takes eighteen for one output: it resolves the paths of both directories, and registers the file for polling.
type place struct {
	dir    *os.File
	handle syscall.RawConn
	device uint64
	inode  uint64
}

func openPlace(root *os.Root, name string) (*place, error) {
	dir, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	p := &place{dir: dir}
	if p.handle, err = dir.SyscallConn(); err == nil {
		err = p.with("stat", name, func(fd int) error {
			var st unix.Stat_t
			err := unix.Fstat(fd, &st)
			p.device, p.inode = uint64(st.Dev), st.Ino //nolint:unconvert // of other types elsewhere
			return err
		})
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return p, nil
}

// with calls do with the directory's descriptor, which stays open meanwhile. It repeats calls that a signal
// interrupted.
func (p *place) with(op, name string, do func(fd int) error) error {
	var err error
	closed := p.handle.Control(func(fd uintptr) {
		for err = do(int(fd)); errors.Is(err, unix.EINTR); err = do(int(fd)) {
		}
	})
	if closed != nil { // in words of its own
		err = os.ErrClosed
	}
	if err != nil {
		return &os.PathError{Op: op, Path: name, Err: err}
	}
	return nil
}

// create creates the file name, which has no slash and must not exist.
func (p *place) create(name string) (*os.File, error) {
	var file *os.File
	err := p.with("openat", name, func(fd int) error {
		new, err := unix.Openat(fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o666)
		if err == nil {
			file = os.NewFile(uintptr(new), name)
		}
		return err
	})
	return file, err
}

// rename moves the file from in p to the name to in q. Neither has slashes.
func (p *place) rename(from string, q *place, to string) error {
	return p.with("renameat", to, func(here int) error {
		return q.with("renameat", to, func(there int) error { return unix.Renameat(here, from, there, to) })
	})
}

func (p *place) close() error { return p.dir.Close() }

// maxParents is how many directories of outputs are kept open.
const maxParents = 16

// parents caches the directories that outputs went to lately.
type parents struct {
	mu   sync.Mutex
	open map[string]*place
}

// at returns the directory that the path dir names now, or nil if it cannot be opened. Another goroutine may close
// it at any time.
func (k *parents) at(s *session, dir string) *place {
	k.mu.Lock()
	defer k.mu.Unlock()
	if p := k.open[dir]; p != nil {
		if s.leadsTo(dir, p) {
			return p
		}
		p.close()
		delete(k.open, dir)
	}
	p, err := openPlace(s.root, dir)
	if err != nil {
		return nil
	}
	if len(k.open) >= maxParents {
		k.closeAll()
	}
	if k.open == nil {
		k.open = make(map[string]*place)
	}
	k.open[dir] = p
	return p
}

func (k *parents) closeAll() {
	for dir, p := range k.open {
		p.close()
		delete(k.open, dir)
	}
}

func (k *parents) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closeAll()
}

// leadsTo reports whether the path dir still names the directory p, without links on the way: it may have been moved
// away, even out of the store, and replaced by a link. Paths with links are left to os.Root.
func (s *session) leadsTo(dir string, p *place) bool {
	var st unix.Stat_t
	for i := range len(dir) + 1 {
		if i < len(dir) && dir[i] != filepath.Separator {
			continue
		}
		err := s.top.with("stat", dir, func(fd int) error { return unix.Fstatat(fd, dir[:i], &st, unix.AT_SYMLINK_NOFOLLOW) })
		if err != nil || st.Mode&unix.S_IFMT == unix.S_IFLNK {
			return false
		}
	}
	return uint64(st.Dev) == p.device && st.Ino == p.inode //nolint:unconvert // of other types elsewhere
}

// move renames the temporary file base to name. If the cached directory fails, os.Root renames it or says why it
// cannot.
func (s *session) move(base, name string) error {
	dir, last := filepath.Split(name)
	to := s.top
	if dir != "" {
		to = s.parents.at(s, filepath.Clean(dir))
	}
	if to != nil && s.here.rename(base, to, last) == nil {
		return nil
	}
	return s.root.Rename(filepath.Join(s.temp, base), name)
}
