//go:build unix

package cli

import "syscall"

// openFileLimit returns how many files this process may open; 0: it is not known. It is the hard limit: when a program
// starts, package os raises the soft limit to it, and children get the former one back.
func openFileLimit() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur) //nolint:unconvert // of another type elsewhere
}
