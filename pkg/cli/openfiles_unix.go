//go:build unix

package cli

import "syscall"

// openFileLimit returns how many files this process may open; 0: it is not known.
func openFileLimit() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // of another type elsewhere
}
