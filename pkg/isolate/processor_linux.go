package isolate

import (
	"bytes"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime returns the processor time that all threads of a process have used, or 0 if the system does not tell.
func processorTime(pid int) time.Duration {
	const scheduled = 2 // CPUCLOCK_SCHED: the clock of clock_getcpuclockid(3)
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|scheduled), &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// asleep reports whether every thread of a process sleeps of its own accord: none runs, waits for a processor or a
// disk, or was stopped. Where the system does not tell, it reports true.
func asleep(pid int) bool {
	dir := "/proc/" + strconv.Itoa(pid) + "/task/"
	threads, err := os.ReadDir(dir)
	if err != nil {
		return true
	}
	for _, thread := range threads {
		text, err := os.ReadFile(dir + thread.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		if state := stateOf(text); state != 'S' && state != 'I' {
			return false
		}
	}
	return true
}

// stateOf returns the state in a thread's stat file, which stands after its name: "17 (a name) S 1 …". The name may
// hold anything, parentheses too.
func stateOf(stat []byte) byte {
	at := bytes.LastIndexByte(stat, ')') + 2
	if at < 2 || at >= len(stat) {
		return 0
	}
	return stat[at]
}
