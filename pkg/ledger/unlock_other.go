//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package ledger

import "os"

// unlock leaves bbolt's lock on f to the closing of f.
func unlock(*os.File) {}
