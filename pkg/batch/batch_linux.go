package batch

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// passes bounds how often Become looks for threads that were started meanwhile by others that it had not reached yet.
const passes = 10

// Become makes all threads of this process, those that they will start, and the processes that these will, batch. Call it
// first thing in main. It reports whether it could: it needs no privilege, but some sandboxes refuse it, and then
// everything goes on as before.
func Become() bool {
	for range passes {
		changed, ok := becomeOnce()
		if !ok {
			return false
		}
		if changed == 0 {
			return true
		}
	}
	return false
}

// becomeOnce changes the threads that there are and returns how many were not batch before.
func becomeOnce() (changed int, ok bool) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0, false
	}
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			return 0, false
		}
		attr, err := unix.SchedGetAttr(id, 0)
		if err == unix.ESRCH {
			continue // it has ended
		}
		if err != nil {
			return 0, false
		}
		if attr.Policy != unix.SCHED_NORMAL { // somebody has chosen another
			continue
		}
		attr.Policy = unix.SCHED_BATCH
		if err := unix.SchedSetAttr(id, attr, 0); err != nil && err != unix.ESRCH {
			return 0, false
		}
		changed++
	}
	return changed, true
}
