package isolate

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// attempt is what a decoder that an attacker took over may try. It returns nil if it succeeded.
type attempt func(data []byte, arg string) error

// attempts lists them by name; the argument is the test's.
func attempts() map[string]attempt {
	call := func(number uintptr, args ...uintptr) error {
		var a [6]uintptr
		copy(a[:], args)
		if _, _, errno := unix.Syscall6(number, a[0], a[1], a[2], a[3], a[4], a[5]); errno != 0 {
			return errno
		}
		return nil
	}
	text := func(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s + "\x00"))) }
	parent := os.Getppid
	open := func(flags int) attempt {
		return func(_ []byte, name string) error {
			fd, err := unix.Open(name, flags, 0o600)
			if err == nil {
				unix.Close(fd)
			}
			return err
		}
	}
	dial := func(network string) attempt {
		return func(_ []byte, address string) error {
			c, err := net.DialTimeout(network, address, 5*time.Second)
			if err == nil {
				c.Close()
			}
			return err
		}
	}
	return map[string]attempt{
		"dial TCP":         dial("tcp"),
		"send UDP":         dial("udp"),
		"dial unix socket": dial("unix"),
		"raw socket": func([]byte, string) error {
			_, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
			return err
		},
		"socket pair": func([]byte, string) error {
			_, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			return err
		},
		"read a file":   open(unix.O_RDONLY),
		"write a file":  open(unix.O_WRONLY),
		"create a file": open(unix.O_WRONLY | unix.O_CREAT),
		"list a directory": func(_ []byte, name string) error {
			_, err := os.ReadDir(name)
			return err
		},
		"look at a file":   func(_ []byte, name string) error { return unix.Stat(name, &unix.Stat_t{}) },
		"remove a file":    func(_ []byte, name string) error { return unix.Unlink(name) },
		"rename a file":    func(_ []byte, name string) error { return unix.Rename(name, name+".x") },
		"change a mode":    func(_ []byte, name string) error { return unix.Chmod(name, 0o777) },
		"link to a file":   func(_ []byte, name string) error { return unix.Symlink("/etc/passwd", name+".x") },
		"make a directory": func(_ []byte, name string) error { return unix.Mkdir(name+".x", 0o700) },
		"truncate a file":  func(_ []byte, name string) error { return unix.Truncate(name, 0) },
		"nameless file": func([]byte, string) error {
			_, err := unix.MemfdCreate("x", 0)
			return err
		},
		"trace its parent":   func([]byte, string) error { return unix.PtraceAttach(parent()) },
		"seize its parent":   func([]byte, string) error { return unix.PtraceSeize(parent()) },
		"signal its parent":  func([]byte, string) error { return unix.Kill(parent(), unix.SIGCONT) },
		"signal everyone":    func([]byte, string) error { return unix.Kill(-1, 0) },
		"signal its group":   func([]byte, string) error { return unix.Kill(0, unix.SIGCONT) },
		"signal a thread":    func([]byte, string) error { return unix.Tgkill(parent(), parent(), unix.SIGCONT) },
		"signal by pidfd":    func([]byte, string) error { _, err := unix.PidfdOpen(parent(), 0); return err },
		"signal by I/O":      func([]byte, string) error { return setOwner(fdRequests, parent()) },
		"limit its parent":   func([]byte, string) error { return limitProcessor(parent()) },
		"read parent memory": func([]byte, string) error { return parentMemory(parent(), false) },
		"write parent memory": func([]byte, string) error {
			return parentMemory(parent(), true)
		},
		"open parent memory": func([]byte, string) error {
			return open(unix.O_RDWR)(nil, "/proc/"+strconv.Itoa(parent())+"/mem")
		},
		"read parent environment": func([]byte, string) error {
			return open(unix.O_RDONLY)(nil, "/proc/"+strconv.Itoa(parent())+"/environ")
		},
		"open its own memory": func([]byte, string) error { return open(unix.O_RDWR)(nil, "/proc/self/mem") },
		"open the input again": func([]byte, string) error {
			return open(unix.O_RDWR)(nil, "/proc/self/fd/"+strconv.Itoa(fdInput))
		},
		"open the input by its mapping": func(data []byte, _ string) error { return openMapping(data) },
		"map the input to write": func([]byte, string) error {
			_, err := unix.Mmap(fdInput, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			return err
		},
		"write the input": func([]byte, string) error { _, err := unix.Pwrite(fdInput, []byte("x"), 0); return err },
		"unprotect the input": func(data []byte, _ string) error {
			start := uintptr(unsafe.Pointer(unsafe.SliceData(data))) &^ 4095
			return call(unix.SYS_MPROTECT, start, 4096, unix.PROT_READ|unix.PROT_WRITE)
		},
		"punch a hole in the input": func([]byte, string) error {
			return unix.Fallocate(fdInput, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096)
		},
		"run a program":  func([]byte, string) error { return exec.Command("/bin/true").Run() },
		"become another": func([]byte, string) error { return unix.Exec("/bin/true", []string{"true"}, nil) },
		"fork":           func([]byte, string) error { return call(unix.SYS_CLONE, uintptr(unix.SIGCHLD)) },
		"fork with clone3": func([]byte, string) error {
			args := [11]uint64{4: uint64(unix.SIGCHLD)}
			return call(unix.SYS_CLONE3, uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args))
		},
		"fork sharing memory": func([]byte, string) error {
			return call(unix.SYS_CLONE, uintptr(unix.CLONE_VM|unix.CLONE_VFORK|unix.SIGCHLD))
		},
		"namespaces": func([]byte, string) error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"mount":      func([]byte, string) error { return unix.Mount("x", "/tmp", "tmpfs", 0, "") },
		"change the root": func([]byte, string) error {
			return unix.Chroot("/")
		},
		"become root": func([]byte, string) error { return unix.Setresuid(0, 0, 0) },
		"new limits": func([]byte, string) error {
			return unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 100, Max: 100}, nil)
		},
		"be traceable":   func([]byte, string) error { return unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) },
		"outlive":        func([]byte, string) error { return unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) },
		"another filter": func([]byte, string) error { return call(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_STRICT) },
		"io_uring": func([]byte, string) error {
			var params [120]byte
			return call(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&params)))
		},
		"bpf": func([]byte, string) error { return call(unix.SYS_BPF) },
		"keys": func([]byte, string) error {
			_, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, true)
			return err
		},
		"System V":    func([]byte, string) error { _, err := unix.SysvShmGet(0, 4096, unix.IPC_CREAT|0o600); return err },
		"user faults": func([]byte, string) error { return call(unix.SYS_USERFAULTFD) },
		"counters":    func([]byte, string) error { return call(unix.SYS_PERF_EVENT_OPEN) },
		"terminal":    func([]byte, string) error { return call(unix.SYS_IOCTL, 2, unix.TIOCSTI, text("x")) },
		"kill by the clock": func([]byte, string) error {
			return call(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, 0, text("12345678"))
		},
		"duplicate":      func([]byte, string) error { _, err := unix.Dup(fdReplies); return err },
		"slow others":    func([]byte, string) error { return unix.Setpriority(unix.PRIO_PROCESS, parent(), 19) },
		"pin its parent": func([]byte, string) error { return unix.SchedSetaffinity(parent(), &unix.CPUSet{1}) },
	}
}

func limitProcessor(pid int) error { return unix.Prlimit(pid, unix.RLIMIT_CPU, &unix.Rlimit{}, nil) }

func setOwner(fd, pid int) error {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_SETOWN, pid)
	return err
}

// parentMemory reads or writes a byte of the parent's memory, at an address that the program of both has.
func parentMemory(pid int, write bool) error {
	here := []byte{1}
	local := []unix.Iovec{{Base: &here[0], Len: 1}}
	remote := []unix.RemoteIovec{{Base: uintptr(unsafe.Pointer(&roleText[0])), Len: 1}}
	var err error
	if write {
		_, err = unix.ProcessVMWritev(pid, local, remote, 0)
	} else {
		_, err = unix.ProcessVMReadv(pid, local, remote, 0)
	}
	return err
}

var roleText = [...]byte{1, 2, 3}

// openMapping opens, to write, the file behind the memory that holds data.
func openMapping(data []byte) error {
	at := uintptr(unsafe.Pointer(unsafe.SliceData(data)))
	// The mapping's bounds stand in /proc/self/maps, which is one more thing that it cannot open.
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(maps)) {
		bounds, _, _ := strings.Cut(line, " ")
		var from, to uintptr
		if _, err := fmt.Sscanf(bounds, "%x-%x", &from, &to); err != nil || at < from || at >= to {
			continue
		}
		fd, err := unix.Open("/proc/self/map_files/"+bounds, unix.O_RDWR, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	}
	return os.ErrNotExist
}

func TestHostileDecoderGetsNothing(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	arguments := map[string]string{}
	for _, name := range []string{
		"read a file", "write a file", "look at a file", "remove a file", "rename a file", "change a mode", "link to a file",
		"make a directory", "truncate a file",
	} {
		arguments[name] = victim
	}
	arguments["create a file"], arguments["list a directory"] = filepath.Join(dir, "new"), dir
	for name, network := range map[string]string{"dial TCP": "tcp", "dial unix socket": "unix"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(dir, "socket")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		arguments[name] = l.Addr().String()
	}
	arguments["send UDP"] = "127.0.0.1:9"

	e := newEngine(t, Config{Slots: 1, Buffers: 1})
	for name := range attempts() {
		input := e.Buffer(4096)
		copy(input, "try "+name+": "+arguments[name]+"\n")
		res, err := e.Transform(t.Context(), input, recipe.Default())
		e.Release(input)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if said := string(res.Outputs[0].Data); said == "" {
			t.Errorf("%s: it succeeded", name)
		} else {
			t.Logf("%s: %s", name, said)
		}
	}
	if data, err := os.ReadFile(victim); err != nil || string(data) != "precious" {
		t.Errorf("the victim holds %q, %v", data, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
	if _, err := transform(t, e, "hello"); err != nil {
		t.Error("afterwards:", err)
	}
	if s := e.Stats(); s.Starts != 1 {
		t.Errorf("the child was to live through it all: %+v", s)
	}
}

// What the attempts would do if nothing kept them from it: otherwise the test above would pass for the wrong reasons.
func TestDecoderWithoutSandboxIsNotHeldBack(t *testing.T) {
	dir := t.TempDir()
	e := idleEngine(t, Config{Slots: 1})
	e.bare = true
	runEngine(t, e)
	for name, arg := range map[string]string{
		"create a file": filepath.Join(dir, "new"), "list a directory": dir, "socket pair": "", "signal its parent": "",
		"open the input again": "", "run a program": "", "duplicate": "", "nameless file": "",
	} {
		res, err := transform(t, e, "try "+name+": "+arg+"\n")
		if err != nil {
			t.Fatal(err)
		}
		if said := string(res.Outputs[0].Data); said != "" {
			t.Errorf("%s: %s", name, said)
		}
	}
	if e.Sandbox() != nil {
		t.Errorf("it reports the layers %v", e.Sandbox())
	}
}

func TestEngineTellsTheLayersOfItsSandbox(t *testing.T) {
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		e := newEngine(t, Config{Slots: 1})
		if _, err := transform(t, e, "hello"); err != nil {
			t.Fatal(err)
		}
		layers := map[string]string{}
		for _, l := range e.Sandbox() {
			layers[l.Name] = l.Missing
			t.Logf("%+v", l)
		}
		// Every Linux that this program runs on has these; the others depend on its version, its settings and the user.
		for _, name := range []string{layerNoNewPrivs, layerDescriptors, layerFileSize, layerUndumpable, layerSeccomp} {
			if missing, ok := layers[name]; !ok || missing != "" {
				t.Errorf("the layer %s is missing: %t, %q", name, !ok, missing)
			}
		}
		pid := e.Stats().Children[0].PID
		for field, want := range map[string]string{"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0000000000000000"} {
			if got := statusOf(t, pid, field); got != want && (field != "CapEff" || layers[layerCapabilities] == "") {
				t.Errorf("%s of the child is %q, want %q", field, got, want)
			}
		}
	})
}

// statusOf returns a field of /proc/PID/status that all threads of a process agree on.
func statusOf(t *testing.T, pid int, field string) (value string) {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("the threads of %d: %v, %v", pid, threads, err)
	}
	for i, file := range threads {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for line := range strings.Lines(string(text)) {
			name, v, _ := strings.Cut(strings.TrimSpace(line), ":")
			if v = strings.TrimSpace(v); name == field {
				if i > 0 && v != value {
					t.Errorf("%s is %q for one thread of the child, %q for another", field, value, v)
				}
				value = v
			}
		}
	}
	return value
}

func TestChildKeepsNoStrayDescriptor(t *testing.T) {
	stray, err := os.Create(filepath.Join(t.TempDir(), "stray"))
	if err != nil {
		t.Fatal(err)
	}
	defer stray.Close()
	// As a shell leaves it behind: not marked close-on-exec.
	fd, err := unix.Dup(int(stray.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		e := newEngine(t, Config{Slots: 1})
		if _, err := transform(t, e, "hello"); err != nil {
			t.Fatal(err)
		}
		dir := fmt.Sprintf("/proc/%d/fd", e.Stats().Children[0].PID)
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Skip("only root sees the descriptors of a child that cannot be dumped:", err)
		}
		for _, entry := range entries {
			to, err := os.Readlink(filepath.Join(dir, entry.Name()))
			// The Go runtime keeps the files of its cgroup's processor quota open, to read.
			own := slices.ContainsFunc([]string{"pipe:", "anon_inode:", "/dev/null", "/sys/fs/cgroup/"}, func(p string) bool {
				return strings.HasPrefix(to, p)
			})
			if err == nil && !own {
				t.Errorf("the child has descriptor %s: %s", entry.Name(), to)
			}
		}
	})
}
