//go:build unix && !linux

package isolate

import "syscall"

// attributes puts a child in a process group of its own, out of reach of the terminal's Ctrl-C. It ends when it
// sees the end of its requests.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
