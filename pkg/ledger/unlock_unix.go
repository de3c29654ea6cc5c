//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ledger

import (
	"os"
	"syscall"
)

// unlock lets go of bbolt's lock on f. Closing f would not: the memory map keeps the file open.
func unlock(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) // it ends with the process if not now
}
