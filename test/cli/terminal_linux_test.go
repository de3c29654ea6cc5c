package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// terminal runs a program on a terminal of its own, and keeps what that shows in the file "screen"; with ! it must
// fail: [!] terminal PROGRAM [ARGUMENT…]
func terminal(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: terminal PROGRAM [ARGUMENT…]")
	}
	ours, theirs, err := openTerminal()
	ts.Check(err)
	defer ours.Close()
	path, err := exec.LookPath(args[0])
	if err != nil { // the script's PATH is not ours
		for dir := range strings.SplitSeq(ts.Getenv("PATH"), ":") {
			if _, err := os.Stat(dir + "/" + args[0]); err == nil {
				path = dir + "/" + args[0]
			}
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0] = args[0]
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TERM=xterm", "IMAGEFARM_HTTP="}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	ts.Check(cmd.Start())
	ts.Check(theirs.Close())
	stop := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer stop.Stop()
	screen, err := io.ReadAll(ours)
	if err != nil && !errors.Is(err, syscall.EIO) { // which is how a terminal ends
		ts.Fatalf("%v", err)
	}
	ts.Check(os.WriteFile(ts.MkAbs("screen"), screen, 0o644))
	if err := cmd.Wait(); (err != nil) != neg {
		ts.Fatalf("%v\n%s", err, screen)
	}
}

func openTerminal() (ours, theirs *os.File, err error) {
	ours, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	fd := int(ours.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 100})
	}
	if err == nil {
		theirs, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		return nil, nil, errors.Join(err, ours.Close())
	}
	return ours, theirs, nil
}
