package sysmon

import (
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Deprioritize makes the runtime's monitor a batch thread, and reports whether it could. Call it first in main. It
// needs no privilege; in a sandbox that refuses, nothing changes.
func Deprioritize() bool {
	id, ok := monitor()
	if !ok {
		return false
	}
	attr, err := unix.SchedGetAttr(id, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL { // somebody chose another policy for the whole process
		return false
	}
	attr.Policy = unix.SCHED_BATCH
	return unix.SchedSetAttr(id, attr, 0) == nil
}

// monitor returns the id of the monitor thread. The runtime starts it before any other (runtime.main in Go's
// proc.go), so its id follows the process's. If a later runtime starts another thread first, that one is
// deprioritized instead, which is harmless.
func monitor() (id int, ok bool) {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0, false
	}
	var threads []int
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			return 0, false
		}
		threads = append(threads, id)
	}
	slices.Sort(threads)
	i := slices.Index(threads, os.Getpid())
	if i < 0 || len(threads) < 2 {
		return 0, false
	}
	return threads[(i+1)%len(threads)], true // ids wrap around to the lowest
}
