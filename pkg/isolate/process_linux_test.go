package isolate

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestKilledParentLeavesNoChild(t *testing.T) {
	for _, image := range []string{"hang", "spin"} {
		t.Run(image, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), roleEnv+"=parent", "ISOLATE_TEST_IMAGE="+image)
			cmd.Stderr = os.Stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var fds []int
			lines := bufio.NewScanner(out)
			for lines.Scan() && lines.Text() != "ready" {
				pid, err := strconv.Atoi(lines.Text())
				if err != nil {
					t.Fatal(err)
				}
				fd, err := unix.PidfdOpen(pid, 0)
				if err != nil {
					t.Fatalf("child %d: %v", pid, err)
				}
				defer unix.Close(fd)
				fds = append(fds, fd)
			}
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
			if len(fds) != 2 {
				t.Fatalf("the parent had %d children, want 2", len(fds))
			}
			for _, fd := range fds {
				awaitEnd(t, fd)
			}
		})
	}
}

// awaitEnd waits until the process with the descriptor fd has ended.
func awaitEnd(t *testing.T, fd int) {
	t.Helper()
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(p, 30_000)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n != 1 {
			t.Errorf("a process lives on: %d, %v", n, err)
		}
		return
	}
}

func TestManyReplacementsLeaveNothingBehind(t *testing.T) {
	replacements := 200
	if testing.Short() {
		replacements = 20
	}
	e := newEngine(t, Config{Slots: 2})
	count := func() (fds, children int) {
		// With both children at work there is nothing in between.
		a, b := gated(t, e), gated(t, e)
		defer b()
		defer a()
		return len(descriptors(t)), len(processes(t))
	}
	fds, children := count()
	for i := range replacements {
		if _, err := transform(t, e, []string{"exit", "segv"}[i%2]); err == nil {
			t.Fatal("an image that ends its process was transformed")
		}
	}
	fdsAfter, childrenAfter := count()
	if fdsAfter > fds {
		t.Errorf("%d descriptors before, %d after: %v", fds, fdsAfter, descriptors(t))
	}
	if children != 2 || childrenAfter != 2 {
		t.Errorf("%d child processes before, %d after, zombies included; want 2", children, childrenAfter)
	}
	if s := e.Stats(); s.Ended[Crashed] < uint64(replacements) {
		t.Errorf("stats %+v", s)
	}
}

func descriptors(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", e.Name()))
		// The directory itself is gone by now. The Go runtime opens its files of the control group when it likes.
		if err == nil && !strings.HasPrefix(to, "/sys/fs/cgroup/") {
			all = append(all, to)
		}
	}
	return all
}

// processes returns the names of this process's children, zombies included.
func processes(t *testing.T) []string {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, s := range stats {
		text, err := os.ReadFile(s)
		if err != nil {
			continue // ended meanwhile
		}
		after := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if after[1] == strconv.Itoa(os.Getpid()) {
			all = append(all, string(text[:strings.LastIndexByte(string(text), ')')+1]))
		}
	}
	return all
}

func TestAfterRunNothingIsLeft(t *testing.T) {
	before := len(descriptors(t))
	e := idleEngine(t, Config{Slots: 3, Buffers: 1})
	stop := runEngine(t, e)
	for range 3 {
		if _, err := transform(t, e, "hello"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if after := descriptors(t); len(after) > before {
		t.Errorf("%d descriptors before, now %v", before, after)
	}
	if p := processes(t); len(p) > 0 {
		t.Errorf("processes left: %v", p)
	}
	if _, err := transform(t, e, "hello"); err != ErrStopped {
		t.Errorf("after Run: %v, want ErrStopped", err)
	}
}

func TestGrandchildrenEndWithTheirParent(t *testing.T) {
	e := idleEngine(t, Config{Slots: 1})
	e.bare = true // in the sandbox it could start none
	runEngine(t, e)
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := transform(t, e, "fork "+fifo)
		done <- err
	}()
	gate, err := os.OpenFile(fifo, os.O_WRONLY, 0) // a grandchild holds its other end
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	if err := <-done; err == nil {
		t.Fatal("the child was to crash")
	}
	for deadline := time.Now().Add(30 * time.Second); err == nil && time.Now().Before(deadline); {
		_, err = gate.WriteString("x\n")
	}
	if err == nil {
		t.Error("a process that a child started lives on")
	}
}

func TestDrainFinishesWhatIsHeld(t *testing.T) {
	e := idleEngine(t, Config{Slots: 1})
	e.pool.turns = 1 // who comes second waits for a child, not in one
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	g := newGate(t, e)
	held := g.transform(context.Background(), e)
	gate := g.wait(t)
	waiting := make(chan error, 1)
	go func() {
		_, err := transform(t, e, "hello")
		waiting <- err
	}()
	cancel()
	if err := <-waiting; err != ErrStopped {
		t.Errorf("who waited for a child: %v, want ErrStopped", err)
	}
	select {
	case err := <-ended:
		t.Fatalf("Run returned %v with a transform under way", err)
	default:
	}
	gate.Close()
	if err := <-held; err != nil {
		t.Errorf("the transform that had begun: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s := e.Stats(); s.Ended[Stopped] != 1 || len(s.Children) != 0 {
		t.Errorf("stats %+v", s)
	}
	if err := e.Run(ctx); err == nil {
		t.Error("Run ran twice")
	}
}

func TestChildThatCannotStartIsTheFarmsFault(t *testing.T) {
	for engine, words := range map[string]string{
		"broken": "this engine never opens",
		"silent": "it ended before it was ready",
		"loud":   "", // what it says is no greeting
	} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Engine: engine, Slots: 1}
			if engine == "silent" {
				cfg.StartTimeout = time.Second // it waits for ever; the others end, however busy the machine is
			}
			e := newEngine(t, cfg)
			for range 2 {
				_, err := transform(t, e, "hello")
				if err == nil || !strings.HasPrefix(err.Error(), "isolate: start a child: ") ||
					!strings.Contains(err.Error(), words) {
					t.Fatalf("error %v, want one about the start with %q", err, words)
				}
			}
			if s := e.Stats(); s.Ended[Start] < 2 || len(s.Children) != 0 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestChildrenInheritNoSecrets(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hush")
	t.Setenv("GOMEMLIMIT", "12345678")
	t.Setenv("TZ", "Europe/Vienna")
	e := newEngine(t, Config{Slots: 1, Threads: 3, Settings: []byte("max=7"), Env: []string{"EXTRA=1"}})
	res, err := transform(t, e, "environment")
	if err != nil {
		t.Fatal(err)
	}
	env := string(res.Outputs[0].Data)
	for _, no := range []string{"hush", "12345678", childEnv} {
		if strings.Contains(env, no) {
			t.Errorf("a child's environment has %q:\n%s", no, env)
		}
	}
	for _, yes := range []string{"EXTRA=1", "TZ=Europe/Vienna"} {
		if !strings.Contains(env, yes) {
			t.Errorf("a child's environment lacks %q:\n%s", yes, env)
		}
	}
	if res, err = transform(t, e, "settings"); err != nil {
		t.Fatal(err)
	}
	if got, want := string(res.Outputs[0].Data), "max=7, 3 threads"; got != want {
		t.Errorf("settings %q, want %q", got, want)
	}
}

func TestChildrensMonitorsWakeRarely(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	res, err := transform(t, e, "slack")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(res.Outputs[0].Data); got != strconv.Itoa(timerSlack) {
		t.Errorf("a child's threads may wake %s ns late, not %d", got, int(timerSlack))
	}
}

func TestWhatLibrariesPrintDisturbsNothing(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	for range 3 {
		if _, err := transform(t, e, "print"); err != nil {
			t.Fatal(err)
		}
	}
	if s := e.Stats(); s.Starts != 1 {
		t.Errorf("stats %+v", s)
	}
}
