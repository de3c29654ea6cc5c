//go:build !unix

package cli

// openFileLimit returns 0: there is no such limit.
func openFileLimit() uint64 { return 0 }
