//go:build unix

package cli

import "syscall"

// ownGroup puts a process in a group of its own, so that a terminal's Ctrl-C does not reach it.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
