package isolate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What Landlock lets a child do with a file below a readable directory, and with a readable file.
const (
	readFile      = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE
	readDirectory = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
)

// restrictFiles restricts the calling thread, and the programs that it executes, with Landlock. They can only read, and
// only system libraries, /proc, /sys, this program's own file and those in readable. As far as the kernel's version
// can, Landlock also refuses TCP, and signals to or tracing of processes outside.
func restrictFiles(readable []string) error {
	abi, err := landlockVersion()
	if err != nil {
		return err
	}
	attr := rulesOf(abi)
	set, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("a set of rules of version %d: %w", abi, errno)
	}
	defer unix.Close(int(set))
	for _, path := range append(systemFiles(), readable...) {
		if err := allowReading(int(set), path); err != nil {
			return err
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); errno != 0 {
		return fmt.Errorf("restrict itself: %w", errno)
	}
	return nil
}

// landlockVersion returns the version of the kernel's Landlock.
func landlockVersion() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errno == unix.ENOSYS || errno == unix.EOPNOTSUPP:
		return 0, errors.New("the kernel has no Landlock, or it is switched off")
	case errno != 0:
		return 0, fmt.Errorf("the version of Landlock: %w", errno)
	}
	return int(abi), nil
}

// rulesOf returns all that a version of Landlock can refuse.
func rulesOf(abi int) unix.LandlockRulesetAttr {
	a := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_REFER - 1} // what the first version knows
	for since, more := range map[int]uint64{
		2: unix.LANDLOCK_ACCESS_FS_REFER, 3: unix.LANDLOCK_ACCESS_FS_TRUNCATE, 5: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV,
	} {
		if abi >= since {
			a.Handled_access_fs |= more
		}
	}
	if abi >= 4 {
		a.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 6 {
		a.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return a
}

// allowReading adds a rule for path, which need not exist.
func allowReading(set int, path string) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // what cannot be opened need not be allowed
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	rule := unix.LandlockPathBeneathAttr{Allowed_access: readFile, Parent_fd: int32(fd)}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		rule.Allowed_access = readDirectory
	}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("a rule for %s: %w", path, errno)
	}
	return nil
}

// systemFiles are the files and directories from which programs load libraries, and those of the kernel.
func systemFiles() []string {
	all := []string{
		"/usr", "/lib", "/lib32", "/lib64", "/opt", "/nix/store", "/gnu/store", "/etc/ld.so.cache", "/etc/ld.so.preload",
		"/etc/localtime", "/proc", "/sys", "/dev/null", "/dev/urandom", "/proc/self/exe",
	}
	all = append(all, filepath.SplitList(os.Getenv("LD_LIBRARY_PATH"))...)
	// Wherever else this process loaded its own libraries from.
	maps, _ := os.ReadFile("/proc/self/maps")
	for line := range strings.Lines(string(maps)) {
		if _, file, ok := strings.Cut(strings.TrimSpace(line), " /"); ok && strings.Contains(file, ".so") {
			all = append(all, filepath.Dir("/"+file))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
