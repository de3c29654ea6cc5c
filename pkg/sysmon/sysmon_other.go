//go:build !linux

package sysmon

// Calm does nothing here and returns false.
func Calm() bool { return false }
