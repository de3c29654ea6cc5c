//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package blob

import (
	"errors"
	"os"
)

// TryLock reports that locks do not work here, so that the age of files decides.
func TryLock(*os.File) (bool, error) {
	return false, errors.ErrUnsupported
}
