package batch

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// roleEnv makes the test binary a program that becomes batch and says what its threads and children are.
const roleEnv = "BATCH_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "" {
		os.Exit(m.Run())
	}
	if !Become() {
		os.Stdout.WriteString("refused")
		return
	}
	done := make(chan struct{})
	for range 20 { // threads of their own, all started later
		go func() {
			say(0)
			done <- struct{}{}
		}()
	}
	for range 20 {
		<-done
	}
	child := exec.Command("/bin/sleep", "60")
	if err := child.Start(); err != nil {
		panic(err)
	}
	say(child.Process.Pid)
	if err := child.Process.Kill(); err != nil {
		panic(err)
	}
	_ = child.Wait() // killed
	say(os.Getpid())
}

func say(id int) {
	attr, err := unix.SchedGetAttr(id, 0)
	switch {
	case err != nil:
		os.Stdout.WriteString(err.Error() + "\n")
	case attr.Policy != unix.SCHED_BATCH:
		os.Stdout.WriteString("not batch\n")
	default:
		os.Stdout.WriteString("batch\n")
	}
}

func TestThreadsAndChildrenStartedLaterAreBatch(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) == "refused" {
		t.Skip("this system does not let a process become batch")
	}
	if want := strings.Repeat("batch\n", 22); string(out) != want {
		t.Errorf("got %q", out)
	}
}

func TestAnotherChoiceStays(t *testing.T) {
	if _, err := exec.LookPath("chrt"); err != nil {
		t.Skip("no chrt, of util-linux, here")
	}
	cmd := exec.Command("chrt", "--idle", "0", os.Args[0])
	cmd.Env = append(os.Environ(), roleEnv+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "\nbatch\n") || !strings.Contains(string(out), "not batch") {
		t.Errorf("an idle process became %q", out)
	}
}
