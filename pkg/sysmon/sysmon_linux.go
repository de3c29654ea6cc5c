package sysmon

import (
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"
)

// Deprioritize makes the runtime's monitor a batch thread. Call it first thing in main. It reports whether it could: it needs no
// privilege, but some sandboxes refuse it, and then everything goes on as before.
func Deprioritize() bool {
	id, ok := monitor()
	if !ok {
		return false
	}
	attr, err := unix.SchedGetAttr(id, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL { // somebody has chosen another for the whole process
		return false
	}
	attr.Policy = unix.SCHED_BATCH
	return unix.SchedSetAttr(id, attr, 0) == nil
}

// monitor returns the thread that the runtime started first, before any of the program (runtime.main in Go's proc.go): the one
// whose number follows the process's. Should that be another one some day, then a worker of the runtime's is calmed, which
// does no harm.
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
	return threads[(i+1)%len(threads)], true // numbers start again from the lowest
}
