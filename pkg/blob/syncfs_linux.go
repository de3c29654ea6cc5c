package blob

import (
	"errors"

	"golang.org/x/sys/unix"
)

// syncEachUpTo is how many outputs a Flush syncs one by one rather than with the whole file system.
const syncEachUpTo = 4

// syncAll syncs the whole file system that holds the directory: one call for any number of outputs. It reports false
// where there is no such call.
func (s *session) syncAll() (bool, error) {
	f, err := s.root.Open(".")
	if err != nil {
		return true, err
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return true, errors.Join(err, f.Close())
	}
	var syncErr error
	err = conn.Control(func(fd uintptr) {
		for {
			syncErr = unix.Syncfs(int(fd))
			if syncErr != unix.EINTR {
				return
			}
		}
	})
	err = errors.Join(err, f.Close())
	if errors.Is(syncErr, unix.ENOSYS) {
		return false, nil
	}
	return true, errors.Join(err, syncErr)
}
