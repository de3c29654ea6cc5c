package source

import (
	"errors"

	"golang.org/x/sys/unix"
)

// isBeingWritten reports whether a process on this machine has a file open for writing. It asks for a read lease, which
// Linux grants only if none has, and gives it back at once. False: none has, or it is not known, as of files of other
// users for those without CAP_LEASE, and on network mounts.
func isBeingWritten(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd) // ends the lease, too
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return errors.Is(err, unix.EAGAIN)
}
