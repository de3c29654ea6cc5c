package isolate

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confineForker puts the calling thread, and so every child that it starts, into the outer half of the sandbox. A
// thread cannot leave it: the caller's goroutine keeps the thread until it ends. readable lists files and directories
// that children may read besides system libraries.
func confineForker(readable []string) []Layer {
	// The order matters: a namespace of its own and a user without privileges both need privileges that the next steps
	// give up.
	layers := []Layer{layer(layerNetwork, leaveNetwork())}
	_ = giveUpPrivileges() // the child checks which privileges it has left
	_ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	return append(layers, layer(layerLandlock, restrictFiles(readable)))
}

// leaveNetwork moves the calling thread to a new network namespace, which has no interfaces but one that is down.
func leaveNetwork() error {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("a network namespace of its own: %w", err)
	}
	return nil
}

// Bits of PR_SET_SECUREBITS (capabilities(7)): the programs that root executes get no capabilities, and that is final.
const noRoot, noRootLocked = 1, 2

// giveUpPrivileges makes the programs that the calling thread executes start without capabilities.
func giveUpPrivileges() error {
	// Ambient capabilities are those that an ordinary user's programs inherit.
	ambient := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
	return errors.Join(ambient, unix.Prctl(unix.PR_SET_SECUREBITS, noRoot|noRootLocked, 0, 0, 0))
}

// prepareSandbox is the first thing that a child does. It closes what the child inherited by mistake: descriptors of
// its parent's parent, say, that were not marked close-on-exec. Every descriptor that the child's own runtime opened is
// marked.
func prepareSandbox() error {
	// Each thread has a name. main begins on the first thread, whose name is also that of the process.
	if unix.Gettid() == os.Getpid() {
		name := []byte("imagefarm-child\x00")
		_, _, _ = unix.Syscall(unix.SYS_PRCTL, unix.PR_SET_NAME, uintptr(unsafe.Pointer(&name[0])), 0)
	}
	return closeInherited(fdOutput + 1)
}

// closeInherited closes the descriptors from the given one on that are not marked close-on-exec: they came with the
// child.
func closeInherited(from int) error {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return fmt.Errorf("list the inherited descriptors: %w", err)
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd < from {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd)
		}
	}
	return nil
}

// closeSandbox closes the inner half of the sandbox around the calling process: from here on it can compute, and read
// and write its pipes. The engine must have opened every library and file that it needs. prepared is what
// prepareSandbox returned, shared says whether the input lies in shared memory.
func closeSandbox(prepared error, shared bool) []Layer {
	var layers []Layer
	add := func(name string, err error) { layers = append(layers, layer(name, err)) }

	add(layerNoNewPrivs, checkNoNewPrivs())
	add(layerCapabilities, checkNoCapabilities())
	if !shared {
		prepared = errors.Join(prepared, closeInherited(fdInput))
		add(layerSealed, errors.New("no shared memory: images come through the pipe"))
	} else {
		// The input is mapped from a descriptor that only reads. Without the descriptor there is nothing to open again.
		add(layerSealed, errors.Join(unix.Close(fdInput), unix.Close(fdOutput)))
	}
	none := unix.Rlimit{}
	add(layerFileSize, unix.Setrlimit(unix.RLIMIT_FSIZE, &none))
	add(layerDescriptors, errors.Join(prepared, unix.Setrlimit(unix.RLIMIT_NOFILE, &none)))
	add(layerUndumpable, unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0))
	add(layerSeccomp, filterSystemCalls())
	return layers
}

func checkNoNewPrivs() error {
	on, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err == nil && on != 1 {
		err = errors.New("PR_SET_NO_NEW_PRIVS was refused")
	}
	return err
}

func checkNoCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	if permitted := uint64(data[1].Permitted)<<32 | uint64(data[0].Permitted); permitted != 0 {
		return fmt.Errorf("it keeps the capabilities %#x", permitted)
	}
	return nil
}

// Kernel names the kernel and what of it the sandbox depends on.
func Kernel() string {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "Linux"
	}
	text := "Linux " + unix.ByteSliceToString(u.Release[:]) + " on " + runtime.GOARCH
	if abi, err := landlockVersion(); err == nil {
		text += fmt.Sprint(", Landlock ", abi)
	}
	return text
}

// supportedArch reports whether the filter knows this processor's system calls.
func supportedArch() bool { return runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64" }
