//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package wasm

import (
	"errors"
	"fmt"
	"os"
)

// errUnchecked says that this system has no cache: who may write to a directory is not checked here.
var errUnchecked = fmt.Errorf("who may write to a directory is not checked on this system: %w", errors.ErrUnsupported)

func checkPrivate(string) error { return errUnchecked }

func checkParents(string) error { return errUnchecked }

func checkWritable(string) error { return errUnchecked }

func lock(string) (unlock func(), err error) { return nil, errUnchecked }

func openTemporary(string) (Cache, *os.File, error) { return "", nil, errUnchecked }

func removeAbandoned(string, string) {}
