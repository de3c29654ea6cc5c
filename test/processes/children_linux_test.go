package processes

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// children are the processes that p has started.
func children(t *testing.T, p *farmtest.Process) (pids []int) {
	t.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that has ended meanwhile
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
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
			f.StartSink()
			worker := f.StartWorker("w1", "--slots", "2")
			f.StartVentilator(album(t, 6)).MustExit(0)
			children := children(t, worker)
			if len(children) == 0 {
				t.Fatal("the worker has no children: the test proves nothing")
			}
			ends := make([]unix.PollFd, len(children)) // readable once the child has ended
			for i, pid := range children {
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				ends[i] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
			}
			worker.Signal(sig)
			worker.Wait()
			for i := range ends {
				if n, err := pollRetry(ends[i : i+1]); err != nil || n != 1 {
					t.Errorf("child %d outlived its worker (%v)", children[i], err)
				}
			}
		})
	}
}

func pollRetry(fds []unix.PollFd) (int, error) {
	for {
		n, err := unix.Poll(fds, int(limit.Milliseconds()))
		if err != unix.EINTR {
			return n, err
		}
	}
}
