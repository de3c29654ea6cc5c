//go:build unix

// Package cputime tells benchmarks how much processor time was used.
package cputime

import (
	"syscall"
	"time"
)

// Used returns the time that this process has used of all processors, its own and the system's for it.
func Used() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // it fails for a process that is none of the caller's
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
