//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package blob

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// place is an open directory, in which a file is made, or to which one is renamed, with one system call. os.Root takes
// eighteen to put an output: it goes the whole way to both directories, and asks of the file whether it can be waited for.
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

// with calls do with the directory's descriptor, which stays open meanwhile, until it is not interrupted.
func (p *place) with(op, name string, do func(fd int) error) error {
	var err error
	closed := p.handle.Control(func(fd uintptr) {
		for err = do(int(fd)); err == unix.EINTR; err = do(int(fd)) {
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

// create makes a file, of a name without slashes that nothing has.
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

// parents are the directories that outputs went to lately.
type parents struct {
	mu   sync.Mutex
	open map[string]*place
}

// at returns the directory dir as it is found at its path now, or nil when it cannot be had. It may be closed at any time.
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

// leadsTo reports whether the path dir still names the directory p, without links on the way: somebody may have moved it away,
// even out of the store, and linked to it. What goes over links is for os.Root to judge, each time.
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

// move renames the temporary file base to name. What the short way cannot do, the long one does, or says why not.
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
