package processes

import (
	"fmt"
	"net/http"
	"os"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// openFiles sets how many files a process may have open; 0: no more than it has now, so that it can make no output.
func openFiles(t *testing.T, p *farmtest.Process, n uint64) {
	t.Helper()
	if n == 0 {
		open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Cmd.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		n = uint64(len(open))
	}
	var now unix.Rlimit
	if err := unix.Prlimit(p.Cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &now); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(p.Cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: n, Max: now.Max}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestSinkThatCannotWriteWaitsUntilItCan(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 20
	dir := album(t, n)
	sink := f.StartSink()
	address := sink.HTTP()
	ventilator, resume := f.startPaused(dir)
	f.startWorkers(2)
	sink.AwaitNth(2, "worker joined")
	if status, _ := get(t, address+"/readyz"); status != http.StatusOK {
		t.Errorf("a sink that works answers %d", status)
	}
	openFiles(t, sink, 0)
	resume()
	sink.Await("cannot write results; trying again")
	openFiles(t, sink, 1000)
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	mustHold(t, f.Out, filesBelow(t, dir))
	if s := f.Status(); s.Trouble != "" {
		t.Errorf("the sink still complains: %s", s.Trouble)
	}
}

func TestSecondSignalCutsASink(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 10
	dir := album(t, n)
	sink := f.StartSink()
	ventilator, resume := f.startPaused("--lease", "3s", dir)
	f.StartWorker("w1")
	sink.Await("worker joined")
	openFiles(t, sink, 0)
	resume()
	sink.Await("cannot write results; trying again") // a drain would wait until it can
	sink.Signal(syscall.SIGTERM)
	sink.Await("draining")
	sink.MustLive()
	sink.Signal(syscall.SIGINT)
	sink.MustExit(130)

	// What it had not committed is done again.
	f.StartSink()
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
}
