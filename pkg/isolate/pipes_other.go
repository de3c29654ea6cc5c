//go:build !unix

package isolate

import (
	"os"
	"os/exec"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }

// handPipes lets cmd inherit the pipes as standard input and output, the only files that every system passes on.
func handPipes(cmd *exec.Cmd, requests, replies *os.File, _ []*os.File) {
	cmd.Stdin, cmd.Stdout = requests, replies
}

// childPipes returns a child's ends of the pipes. Libraries that print get standard error instead of standard output.
func childPipes() (requests, replies *os.File, err error) {
	requests, replies = os.Stdin, os.Stdout
	os.Stdout = os.Stderr
	return requests, replies, nil
}
