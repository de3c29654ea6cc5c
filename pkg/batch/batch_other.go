//go:build !linux

package batch

// Become does nothing here and returns false.
func Become() bool { return false }
