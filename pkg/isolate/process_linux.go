package isolate

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Program returns the path that a child executes: the running file, even if it was replaced or removed since.
func Program() (string, error) {
	return "/proc/self/exe", nil
}

// attributes puts a child in a process group of its own, so that a terminal's Ctrl-C does not reach it, and has the
// kernel kill the child when the thread that started it ends.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// timerSlack is how many nanoseconds late a child's threads may wake. A child keeps no time; its parent does. The Go
// runtime's monitor (see package sysmon) sleeps some tens of times for 20 µs after each image. Each time it wakes the
// transform loses the processor for a moment, which is expensive on a virtual machine. With nothing to do the monitor
// sleeps for 10 ms anyway.
const timerSlack = 5e6

// slacken makes the programs that the calling thread starts inherit timerSlack (PR_SET_TIMERSLACK in prctl(2)). On a
// system that refuses, children cost more.
func slacken() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0) }

// awaitExit returns true when p has exited. It does not reap p, so no other process gets p's number yet. It returns
// false where the system cannot do that.
func awaitExit(p *os.Process) bool {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err == nil
		}
	}
}

// killAll kills p, which must not have been reaped, and everything in its process group.
func killAll(p *os.Process) {
	_ = unix.Kill(-p.Pid, unix.SIGKILL)
	_ = p.Kill()
}
