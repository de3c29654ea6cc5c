package blob

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// tempDir holds, for every Dir that is open in any process, a directory for its temporary files and beside it a lock
// file of the same name and ".lock". The lock is held as long as the Dir lives, and the kernel drops it when the
// process dies: a directory whose lock is free is a leftover.
const tempDir = OwnDir + "/tmp"

const lockSuffix = ".lock"

// staleAfter is the age at which temporary files count as leftovers where locks do not work. No output takes an hour
// to write.
const staleAfter = time.Hour

// errNoTemp says that the directory for temporary files was removed while a session used it.
var errNoTemp = errors.New("the directory for temporary files is gone")

// A session is the store's directory as it was when the session was opened.
type session struct {
	root    *os.Root
	info    fs.FileInfo // of the root, to tell when the path names another directory
	temp    string      // this session's directory for temporary files, relative to the root
	top     *place      // the root
	here    *place      // the directory for temporary files
	lock    *os.File
	next    atomic.Uint64 // the next temporary file
	parents parents       // of outputs
}

// openSession opens dir, an absolute path without symbolic links.
func openSession(dir string, readOnly bool) (*session, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	s := &session{root: root}
	if s.info, err = root.Stat("."); err == nil {
		err = s.checkStraight(dir)
	}
	if err == nil && !readOnly {
		err = s.makeTemp()
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// checkStraight returns an error if a symbolic link led from dir to the directory that was opened.
func (s *session) checkStraight(dir string) error {
	info, err := lookStraight(dir)
	if err == nil && os.SameFile(info, s.info) {
		return nil
	}
	return &Fault{Kind: ErrUnavailable, Op: "use", Dir: dir,
		Why: "a symbolic link has taken its place, or that of a directory above it; put the directory back, or start again",
		Err: cause(err)}
}

// makeTemp creates the session's directory for temporary files and locks it. It starts again with another name if
// the sweep of another process took the lock, or removed the file, before it was locked.
func (s *session) makeTemp() error {
	for range 16 {
		if err := s.root.MkdirAll(filepath.FromSlash(tempDir), 0o777); err != nil {
			return err
		}
		temp := filepath.FromSlash(tempDir + "/" + strings.ToLower(rand.Text()))
		lock, err := s.root.OpenFile(temp+lockSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return err
		}
		held, err := TryLock(lock)
		if err == nil && !held || !s.isAt(lock, temp+lockSuffix) {
			lock.Close()
			continue
		}
		err = s.root.Mkdir(temp, 0o777)
		if err == nil {
			err = s.openPlaces(temp)
		}
		if err != nil {
			return errors.Join(err, lock.Close())
		}
		s.temp, s.lock = temp, lock
		return nil
	}
	return fmt.Errorf("%s is being removed again and again", tempDir)
}

func (s *session) openPlaces(temp string) (err error) {
	if s.top, err = openPlace(s.root, "."); err != nil {
		return err
	}
	if s.here, err = openPlace(s.root, temp); err != nil {
		s.top.close()
	}
	return err
}

// isAt reports whether f is still the file that name names.
func (s *session) isAt(f *os.File, name string) bool {
	a, errA := f.Stat()
	b, errB := s.root.Stat(name)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// close removes the session's temporary files and closes the directory.
func (s *session) close() error {
	if s.lock == nil {
		return s.root.Close()
	}
	err := s.root.RemoveAll(s.temp)
	if removeErr := s.root.Remove(s.temp + lockSuffix); !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	s.parents.close()
	return errors.Join(err, s.lock.Close(), s.here.close(), s.top.close(), s.root.Close())
}

// put makes a temporary file, has fill write it, and renames it to name. It returns the topmost directory that it
// may have made, slash-separated, or "".
func (s *session) put(name string, fill func(*os.File) error, sync bool) (made string, err error) {
	base := strconv.FormatUint(s.next.Add(1), 36)
	f, err := s.here.create(base)
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		s.parents.close() // they are kept open only to save time
		f, err = s.here.create(base)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return "", errNoTemp
	}
	if err != nil {
		return "", err
	}
	if err = fill(f); err == nil && sync {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		made, err = s.rename(base, name)
		err = s.blame(name, err)
	}
	if err != nil {
		_ = s.root.Remove(filepath.Join(s.temp, base)) // a sweep removes it if this cannot
	}
	return made, err
}

// rename moves the temporary file base to name. Most outputs go to directories that exist, so that rename creates
// directories only after the first move has failed.
func (s *session) rename(base, name string) (made string, err error) {
	parent, temp := filepath.Dir(name), filepath.Join(s.temp, base)
	err = s.move(base, name)
	for range 100 { // others may remove the directories again
		if !errors.Is(err, fs.ErrNotExist) {
			return made, err
		}
		if _, statErr := s.root.Lstat(temp); errors.Is(statErr, fs.ErrNotExist) {
			return "", errNoTemp
		}
		if made == "" {
			made = s.firstMissing(filepath.ToSlash(parent))
		}
		err = s.root.MkdirAll(parent, 0o777)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		err = s.root.Rename(temp, name)
	}
	if err != nil {
		return "", errors.New("its directory is removed again and again")
	}
	return made, nil
}

// blame turns err, of putting the file name in its place, into an ErrObstructed if one directory refuses it and the
// store as a whole works. Other outputs can be written then.
func (s *session) blame(name string, err error) error {
	refused := errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
	if !refused || !s.works() {
		return err
	}
	dir := s.deepestDir(filepath.ToSlash(filepath.Dir(name)))
	if dir == "." {
		return err // nothing new can be written to the store
	}
	return &Fault{Kind: ErrObstructed, Op: "write", Name: filepath.ToSlash(name), Dir: s.root.Name(),
		Why: "this process may not write to the directory " + quoted(dir)}
}

// works reports whether a file can be made in the store now, by the path that outputs take.
func (s *session) works() bool {
	probe := filepath.Join(s.temp, strconv.FormatUint(s.next.Add(1), 36))
	f, err := s.root.OpenFile(probe, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return false
	}
	return errors.Join(f.Close(), s.root.Remove(probe)) == nil
}

// deepestDir returns the deepest directory on the way to dir that is there, "." for the root.
func (s *session) deepestDir(dir string) string {
	for dir != "." {
		if _, err := s.root.Lstat(filepath.FromSlash(dir)); err == nil {
			break
		}
		dir = path.Dir(dir)
	}
	return dir
}

// firstMissing returns the topmost missing directory on the way to dir, or dir itself.
func (s *session) firstMissing(dir string) string {
	for i, c := range dir {
		if c == '/' {
			if _, err := s.root.Lstat(filepath.FromSlash(dir[:i])); err != nil {
				return dir[:i]
			}
		}
	}
	return dir
}

// SweepTemp removes the temporary files that killed processes left, and returns how many processes' directories it
// removed. It leaves those of living processes, in other containers, too, and on other machines if the file server
// forwards locks. Where locks do not work, it removes what is older than an hour.
func (d *Dir) SweepTemp() (int, error) {
	if d.cfg.ReadOnly {
		return 0, nil
	}
	swept := 0
	err := d.do("sweep", tempDir, func(s *session) error {
		swept = 0
		dir, err := s.root.Open(filepath.FromSlash(tempDir))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		entries, err := dir.ReadDir(-1)
		dir.Close()
		if err != nil {
			return err
		}
		for _, e := range entries {
			place, isLock := strings.CutSuffix(e.Name(), lockSuffix)
			if path.Base(filepath.ToSlash(s.temp)) == place {
				continue
			}
			place = filepath.FromSlash(tempDir + "/" + place)
			done, sweepErr := s.sweep(place, isLock)
			if done {
				swept++
			}
			if sweepErr != nil && !errors.Is(sweepErr, fs.ErrNotExist) {
				err = errors.Join(err, sweepErr)
			}
		}
		return err
	})
	return swept, err
}

// sweep removes one directory for temporary files, unless a process uses it.
func (s *session) sweep(place string, isLock bool) (bool, error) {
	if !isLock {
		if _, err := s.root.Lstat(place + lockSuffix); err == nil {
			return false, nil // its lock file decides
		}
		old, err := s.isOld(place)
		if err != nil || !old {
			return false, err
		}
		return true, s.root.RemoveAll(place)
	}
	lock, err := s.root.OpenFile(place+lockSuffix, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	held, err := TryLock(lock)
	if err != nil {
		if held, err = s.isOld(place + lockSuffix); err != nil {
			return false, err
		}
	}
	if !held {
		return false, nil
	}
	if err := s.root.RemoveAll(place); err != nil {
		return false, err
	}
	return true, s.root.Remove(place + lockSuffix)
}

func (s *session) isOld(name string) (bool, error) {
	info, err := s.root.Lstat(name)
	if err != nil {
		return false, err
	}
	return time.Since(info.ModTime()) > staleAfter, nil
}
