package isolate

import (
	"os"
	"os/exec"
	"testing"
)

func TestProcessorTimeGrowsWithWork(t *testing.T) {
	pid := os.Getpid()
	before := processorTime(pid)
	for now := before; now == before; now = processorTime(pid) {
	}
	if before <= 0 {
		t.Errorf("this process has used %v", before)
	}
	if asleep(pid) {
		t.Error("this process, which runs, sleeps")
	}
}

func TestProcessThatWaitsForInputIsAsleep(t *testing.T) {
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for !asleep(cmd.Process.Pid) { // it starts
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestStateOfAThreadWhateverItsName(t *testing.T) {
	for text, want := range map[string]byte{
		"17 (cat) S 1 17": 'S', "17 (a ) R (b)) D 1": 'D', "": 0, "17": 0, "17 (cat)": 0, "17 (cat) ": 0,
	} {
		if got := stateOf([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
