//go:build unix

package isolate

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Descriptors of a child's pipes. They are not the standard ones, so that a library that prints cannot disturb the
// messages: standard input is empty, and standard output goes where standard error goes.
const (
	fdRequests = 3
	fdReplies  = 4
)

// handPipes lets cmd inherit the pipes and the files after them.
func handPipes(cmd *exec.Cmd, requests, replies *os.File, more []*os.File) {
	cmd.Stdout = cmd.Stderr
	cmd.ExtraFiles = append([]*os.File{requests, replies}, more...)
}

// childPipes returns a child's ends of the pipes, in non-blocking mode. While a thread blocks in read, the runtime's
// monitor wakes every 20 µs to check it, and each time takes the processor from the transform.
func childPipes() (requests, replies *os.File, err error) {
	for _, fd := range []int{fdRequests, fdReplies} {
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, nil, fmt.Errorf("no pipe on descriptor %d: %s is only for children: %w", fd, childEnv, err)
		}
		unix.CloseOnExec(fd)
	}
	return os.NewFile(fdRequests, "requests"), os.NewFile(fdReplies, "replies"), nil
}
