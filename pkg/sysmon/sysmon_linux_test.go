package sysmon

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// roleEnv makes the test binary a program that calms its monitor.
const roleEnv = "SYSMON_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(roleEnv) == "" {
		os.Exit(m.Run())
	}
	fmt.Println(Deprioritize())
	for end := time.Now().Add(200 * time.Millisecond); time.Now().Before(end); { // the monitor has something to look at
	}
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		panic(err)
	}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			panic(err)
		}
		attr, err := unix.SchedGetAttr(id, 0)
		if err != nil {
			continue // it has ended
		}
		status, err := os.ReadFile("/proc/self/task/" + e.Name() + "/status")
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(status), "\nvoluntary_ctxt_switches:")
		switches, _, _ := strings.Cut(strings.TrimSpace(after), "\n")
		fmt.Println(attr.Policy, switches)
	}
}

func play(t *testing.T, command ...string) []string {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), roleEnv+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

func TestTheThreadThatIsCalmedIsTheOneThatKeepsWaking(t *testing.T) {
	said := play(t, os.Args[0])
	if said[0] != "true" {
		t.Skip("this system does not let a thread become batch")
	}
	batch, mostSwitches := 0, 0
	var calmed int
	for _, line := range said[1:] {
		var policy, switches int
		if _, err := fmt.Sscan(line, &policy, &switches); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		mostSwitches = max(mostSwitches, switches)
		if policy == unix.SCHED_BATCH {
			batch++
			calmed = switches
		}
	}
	if batch != 1 || calmed != mostSwitches {
		t.Errorf("%d batch threads, the last slept %d times, the one that slept most %d: %v", batch, calmed, mostSwitches,
			said)
	}
}

func TestAnotherChoiceStays(t *testing.T) {
	if _, err := exec.LookPath("chrt"); err != nil {
		t.Skip("no chrt, of util-linux, here")
	}
	said := play(t, "chrt", "--idle", "0", os.Args[0])
	if said[0] != "false" || !strings.HasPrefix(said[1], strconv.Itoa(unix.SCHED_IDLE)) {
		t.Errorf("an idle process became %v", said)
	}
}
