package blob

import (
	"errors"

	"golang.org/x/sys/unix"
)

// syncEachUpTo is how many outputs a Flush syncs one by one rather than with the whole file system. So many take about
// as long either way, but with the file system also what other programs have written is waited for.
const syncEachUpTo = 16

// syncAll syncs the whole file system that holds the directory: one call for any number of outputs. It reports false
// where there is no such call. The descriptor has been open since before the writes: the kernel reports a failed
// write once to each open descriptor, but not to one that is opened later.
func (s *session) syncAll() (bool, error) {
	err := s.top.with("syncfs", ".", unix.Syncfs)
	if errors.Is(err, unix.ENOSYS) {
		return false, nil
	}
	return true, err
}
