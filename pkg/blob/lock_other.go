//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package blob

import (
	"errors"
	"os"
)

// tryLock reports that locks do not work here, so that the age of files decides.
func tryLock(*os.File) (bool, error) {
	return false, errors.ErrUnsupported
}
