package isolate

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// program is what a child executes: the running file itself, even if it has been replaced or removed since.
func program() (string, error) {
	return "/proc/self/exe", nil
}

// attributes puts a child in a process group of its own, out of reach of the terminal's Ctrl-C, and ends it with the
// thread that started it.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// timerSlack is how much later than asked for a child's threads may wake, nanoseconds. A child keeps no time: its parent does.
// But the Go runtime's monitor (see package sysmon) sleeps some tens of times for 20 µs after each image, and each time it
// wakes costs the transform a switch, and on a virtual machine much more. It sleeps for up to 10 ms anyway when nothing is new.
const timerSlack = 5e6

// slacken gives timerSlack to the programs that the calling thread starts, until restore: they inherit it (prctl(2),
// PR_SET_TIMERSLACK). Where it cannot be given, children only cost more.
func slacken() (restore func()) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, timerSlack, 0, 0, 0)
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }
}

// awaitExit returns when p has ended, and leaves it to be waited for: until then its number is not given away.
// It returns false where it cannot.
func awaitExit(p *os.Process) bool {
	for {
		err := unix.Waitid(unix.P_PID, p.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return err == nil
		}
	}
}

// killAll ends p, which must not have been waited for, and everything in its group.
func killAll(p *os.Process) {
	_ = unix.Kill(-p.Pid, unix.SIGKILL)
	_ = p.Kill()
}
