//go:build !linux

package sysmon

// Deprioritize does nothing on this system and returns false.
func Deprioritize() bool { return false }
