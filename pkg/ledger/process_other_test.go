//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package ledger

func runChild() bool { return false }
