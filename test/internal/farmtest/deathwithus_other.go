//go:build unix && !linux

package farmtest

import "syscall"

// dieWithUs does nothing here: only the test's cleanup ends its processes.
func dieWithUs() *syscall.SysProcAttr { return nil }
