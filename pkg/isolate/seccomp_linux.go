package isolate

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allowedCalls are the system calls that need no look at their arguments. The list is what the Go runtime, the race
// detector and the C library under installed codecs use for memory, threads, signals, time and descriptors that are
// open already. None of them opens a descriptor, names a file, or reaches another process.
//
// mmap and mprotect stay unrestricted although they make memory executable: where no cache has their machine code,
// codecs in WebAssembly are translated when the first image needs them.
func allowedCalls() []uint32 {
	return []uint32{
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_PREAD64, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_CLOSE, unix.SYS_FSTAT,
		unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_CTL, unix.SYS_PPOLL,
		unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_MINCORE, unix.SYS_BRK,
		unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_MEMBARRIER, unix.SYS_GETCPU,
		unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_SET_TID_ADDRESS, unix.SYS_GETTID, unix.SYS_GETPID,
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
		unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
		unix.SYS_GETRANDOM, unix.SYS_UNAME, unix.SYS_SYSINFO, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	}
}

// prSetVMA names memory for tools that inspect the process (PR_SET_VMA in prctl(2)); the Go runtime does.
const prSetVMA = 0x53564d41

// namespaces are the flags of clone that ask for a namespace.
const namespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// filterSystemCalls makes the kernel refuse all threads of this process every system call but a few, with EPERM: a
// decoder that tries one gets an error and goes on. Nothing can lift the filter.
func filterSystemCalls() error {
	if !supportedArch() {
		return fmt.Errorf("no filter for %s", runtime.GOARCH)
	}
	program := systemCallFilter(uint32(os.Getpid()))
	fprog := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// SPEC_ALLOW: older kernels slow a filtered process down to protect its memory from itself.
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags,
		uintptr(unsafe.Pointer(&fprog)))
	runtime.KeepAlive(program)
	switch {
	case errno == unix.ENOSYS:
		return errors.New("the kernel has no seccomp filters")
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return fmt.Errorf("seccomp: thread %d has a filter of its own", thread)
	}
	return nil
}

// Offsets in struct seccomp_data, on a little-endian processor.
const (
	offCall = 0
	offArch = 4
	offArgs = 16
)

// systemCallFilter returns the filter of the process pid, a program of classic BPF. Each block of it tests one call and
// ends in a verdict, so that no block depends on what another loaded.
func systemCallFilter(pid uint32) []unix.SockFilter {
	const allow, refuse = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	statement := func(code uint16, k uint32) unix.SockFilter { return unix.SockFilter{Code: code, K: k} }
	jump := func(test uint16, k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_K | test, Jt: yes, Jf: no, K: k}
	}
	load := func(offset uint32) unix.SockFilter { return statement(unix.BPF_LD|unix.BPF_W|unix.BPF_ABS, offset) }
	verdict := func(k uint32) unix.SockFilter { return statement(unix.BPF_RET|unix.BPF_K, k) }

	arch, highest := uint32(unix.AUDIT_ARCH_AARCH64), uint32(0xffffffff)
	if runtime.GOARCH == "amd64" {
		arch, highest = unix.AUDIT_ARCH_X86_64, 0x3fffffff // from there on the calls of x32
	}
	p := []unix.SockFilter{
		load(offArch), jump(unix.BPF_JEQ, arch, 1, 0), verdict(refuse),
		load(offCall), jump(unix.BPF_JGT, highest, 0, 1), verdict(refuse),
	}
	for _, call := range allowedCalls() {
		p = append(p, jump(unix.BPF_JEQ, call, 0, 1), verdict(allow))
	}
	// when adds a block that is entered for one call. The low half of an argument is all that the kernel reads of an int.
	when := func(call uint32, block ...unix.SockFilter) {
		p = append(p, jump(unix.BPF_JEQ, call, 0, uint8(len(block))))
		p = append(p, block...)
	}
	arg := func(i uint32) unix.SockFilter { return load(offArgs + 8*i) }
	// oneOf is a block that allows a call whose argument i is one of values.
	oneOf := func(i uint32, values ...uint32) []unix.SockFilter {
		block := []unix.SockFilter{arg(i)}
		for _, v := range values {
			block = append(block, jump(unix.BPF_JEQ, v, 0, 1), verdict(allow))
		}
		return append(block, verdict(refuse))
	}
	// New threads, no new processes. The flags of clone3 lie in memory, where no filter can read them; both runtimes take
	// ENOSYS as a request to use clone.
	when(unix.SYS_CLONE, arg(0), jump(unix.BPF_JSET, unix.CLONE_THREAD, 0, 2), jump(unix.BPF_JSET, namespaces, 1, 0),
		verdict(allow), verdict(refuse))
	when(unix.SYS_CLONE3, verdict(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS)))
	when(unix.SYS_KILL, oneOf(0, pid)...) // a crashing process ends itself by a signal
	when(unix.SYS_TGKILL, oneOf(0, pid)...)
	when(unix.SYS_PRCTL, oneOf(0, unix.PR_SET_NAME, unix.PR_GET_NAME, unix.PR_GET_TIMERSLACK, prSetVMA)...)
	when(unix.SYS_FCNTL, oneOf(1, unix.F_GETFD, unix.F_SETFD, unix.F_GETFL, unix.F_SETFL)...)
	// Only to ask for limits: the second half of a pointer to new ones must be 0, too.
	when(unix.SYS_PRLIMIT64, arg(0), jump(unix.BPF_JEQ, 0, 0, 4), arg(2), jump(unix.BPF_JEQ, 0, 0, 2), load(offArgs+8*2+4),
		jump(unix.BPF_JEQ, 0, 1, 0), verdict(refuse), verdict(allow))
	return append(p, verdict(refuse))
}
