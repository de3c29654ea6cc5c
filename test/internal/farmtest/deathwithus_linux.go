package farmtest

import "syscall"

// dieWithUs lets no process outlive a test binary that is killed before its cleanup.
func dieWithUs() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
