package isolate

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The filter must hold whatever a call's neighbours in the program load: each block ends in a verdict.
func TestFilterEndsEachBlockInAVerdict(t *testing.T) {
	if !supportedArch() {
		t.Skip("no filter for this processor")
	}
	const pid = 4242
	arch := map[bool]uint32{true: unix.AUDIT_ARCH_X86_64, false: unix.AUDIT_ARCH_AARCH64}[unix.SYS_READ == 0]
	program := systemCallFilter(pid)
	for _, c := range []struct {
		name    string
		call    uint32
		args    [6]uint64
		allowed bool
	}{
		{"read", unix.SYS_READ, [6]uint64{}, true},
		{"kill of its group", unix.SYS_KILL, [6]uint64{0}, false},
		{"kill of itself", unix.SYS_KILL, [6]uint64{pid}, true},
		{"kill of the first process", unix.SYS_KILL, [6]uint64{1}, false},
		{"kill of everyone", unix.SYS_KILL, [6]uint64{1<<64 - 1}, false},
		{"tgkill of another", unix.SYS_TGKILL, [6]uint64{pid + 1, pid + 1}, false},
		{"a thread", unix.SYS_CLONE, [6]uint64{unix.CLONE_VM | unix.CLONE_SIGHAND | unix.CLONE_THREAD}, true},
		{"a process", unix.SYS_CLONE, [6]uint64{uint64(unix.SIGCHLD)}, false},
		{"a thread in a namespace", unix.SYS_CLONE, [6]uint64{unix.CLONE_THREAD | unix.CLONE_NEWNET}, false},
		{"clone3", unix.SYS_CLONE3, [6]uint64{unix.CLONE_THREAD}, false},
		{"prctl", unix.SYS_PRCTL, [6]uint64{unix.PR_SET_DUMPABLE, 1}, false},
		{"ask for a limit", unix.SYS_PRLIMIT64, [6]uint64{0, 7, 0, 0x7000_0000_1000}, true},
		{"set a limit", unix.SYS_PRLIMIT64, [6]uint64{0, 7, 0x7000_0000_1000}, false},
		{"set a limit at a round address", unix.SYS_PRLIMIT64, [6]uint64{0, 7, 0x7000_0000_0000}, false},
		{"set a limit below 4 GiB", unix.SYS_PRLIMIT64, [6]uint64{0, 7, 0x1000}, false},
		{"limits of another", unix.SYS_PRLIMIT64, [6]uint64{1}, false},
		{"a lock on a file", unix.SYS_FCNTL, [6]uint64{3, unix.F_SETLK}, false},
		{"an owner", unix.SYS_FCNTL, [6]uint64{3, unix.F_SETOWN, 1}, false},
		{"openat", unix.SYS_OPENAT, [6]uint64{}, false},
		{"a call of x32", unix.SYS_READ | 0x40000000, [6]uint64{}, false},
		{"an unknown call", 999_999, [6]uint64{}, false},
	} {
		if got := runFilter(t, program, arch, c.call, c.args); got == unix.SECCOMP_RET_ALLOW != c.allowed {
			t.Errorf("%s: verdict %#x", c.name, got)
		}
	}
	if got := runFilter(t, program, unix.AUDIT_ARCH_I386, unix.SYS_READ, [6]uint64{}); got == unix.SECCOMP_RET_ALLOW {
		t.Error("a call of another architecture is allowed")
	}
}

// runFilter runs a program of the few instructions that filters have, and returns its verdict.
func runFilter(t *testing.T, program []unix.SockFilter, arch, call uint32, args [6]uint64) uint32 {
	t.Helper()
	data := make([]uint32, 16)
	data[0], data[1] = call, arch
	for i, a := range args {
		data[4+2*i], data[5+2*i] = uint32(a), uint32(a>>32)
	}
	var acc uint32
	for pc := 0; pc < len(program); pc++ {
		in := program[pc]
		test := false
		switch in.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			acc = data[in.K/4]
			continue
		case unix.BPF_RET | unix.BPF_K:
			return in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JEQ:
			test = acc == in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JGT:
			test = acc > in.K
		case unix.BPF_JMP | unix.BPF_K | unix.BPF_JSET:
			test = acc&in.K != 0
		default:
			t.Fatalf("instruction %d is %+v", pc, in)
		}
		if test {
			pc += int(in.Jt)
		} else {
			pc += int(in.Jf)
		}
	}
	t.Fatal("the program has no verdict")
	return 0
}
