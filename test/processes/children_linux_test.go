package processes

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// children are the processes that p has started.
func (p *process) children() (pids []int) {
	p.t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended meanwhile
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				p.t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// Images are transformed in child processes: however a worker ends, these end with it.
func TestChildrenOfAWorkerEndWithIt(t *testing.T) {
	for name, sig := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "drained": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFarm(t)
			f.startSink()
			worker := f.startWorker("w1", "--slots", "2")
			f.startVentilator(album(t, 6)).mustExit(0)
			children := worker.children()
			if len(children) == 0 {
				t.Fatal("the worker has no children: the test proves nothing")
			}
			worker.signal(sig)
			worker.wait()
			deadline := time.Now().Add(limit)
			for _, pid := range children {
				for lives(pid) {
					if time.Now().After(deadline) {
						t.Fatalf("child %d outlived its worker", pid)
					}
					time.Sleep(10 * time.Millisecond) // who is no parent of it cannot wait for its end
				}
			}
		})
	}
}

// lives reports whether a process is there and no zombie that its new parent has not buried yet.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}
