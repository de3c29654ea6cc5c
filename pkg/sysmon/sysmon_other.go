//go:build !linux

package sysmon

// Deprioritize does nothing here and returns false.
func Deprioritize() bool { return false }
