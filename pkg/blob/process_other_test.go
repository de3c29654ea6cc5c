//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package blob

import "errors"

func makePipe(string) error { return errors.ErrUnsupported }
