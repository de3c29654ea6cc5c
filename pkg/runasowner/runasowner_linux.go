package runasowner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// ids are a user and a group.
type ids struct{ uid, gid int }

func replace(c Config, argv []string) error {
	program, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		who, err := decide(c)
		if err != nil {
			return err
		}
		// Capabilities belong to the thread; the new program inherits those of the thread that calls exec.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := become(who); err != nil {
			return fmt.Errorf("becoming user %d, group %d, the owner of %s: %w", who.uid, who.gid, c.Dir, err)
		}
	}
	return fmt.Errorf("running %s: %w", program, syscall.Exec(program, argv, os.Environ()))
}

// decide returns the owner of Dir, after giving Dir to the owner of Like if it must.
func decide(c Config) (ids, error) {
	now, err := ownerOf(c.Dir)
	if err != nil || now.uid != 0 || c.Like == "" {
		return now, err
	}
	like, err := ownerOf(c.Like)
	if err != nil || like.uid == 0 {
		return now, err
	}
	if empty, err := isEmpty(c.Dir); err != nil || !empty {
		return now, err
	}
	if err := os.Chown(c.Dir, like.uid, like.gid); err != nil && !refused(err) {
		return ids{}, err
	}
	return ownerOf(c.Dir) // as the file system shows it now
}

// refused reports whether the file system has no owners or refuses to change them.
func refused(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) ||
		errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.ENOTSUP)
}

func ownerOf(path string) (ids, error) {
	info, err := os.Stat(path)
	if err != nil {
		return ids{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ids{}, fmt.Errorf("the owner of %s is unknown", path)
	}
	return ids{int(stat.Uid), int(stat.Gid)}, nil
}

func isEmpty(dir string) (bool, error) {
	d, err := os.Open(dir)
	if err != nil {
		return false, err
	}
	defer d.Close()
	if _, err = d.Readdirnames(1); errors.Is(err, io.EOF) {
		return true, nil
	}
	return false, err
}

// setIDs sets the real, the effective and the saved id of the calling thread alone. The standard library would set
// those of all threads, and panics in a program that loads shared libraries without cgo. The thread that calls exec
// decides.
func setIDs(call uintptr, id int) error {
	if _, _, errno := unix.RawSyscall(call, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
		return errno
	}
	return nil
}

// become takes on the ids and gives up every capability for good. For a user other than root the kernel removes them
// with the user id. For root they are dropped explicitly, and "no new privileges" keeps exec from restoring them.
func become(who ids) error {
	if err := unix.Setgroups(nil); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	if err := setIDs(unix.SYS_SETRESGID, who.gid); err != nil {
		return fmt.Errorf("setresgid: %w", err)
	}
	if err := setIDs(unix.SYS_SETRESUID, who.uid); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}
