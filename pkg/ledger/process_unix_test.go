//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// The tests that need a process of their own run this test binary again, which then does what childTask says.
const childTask = "IMAGEFARM_TEST_CHILD"

func child(t *testing.T, task string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), childTask+"="+task)
	cmd.Stderr = os.Stderr
	return cmd
}

// runChild does what the parent asked for and reports whether it asked at all.
func runChild() bool {
	switch os.Getenv(childTask) {
	case "commit":
		childCommits(os.Args[1], os.Args[2])
	case "hold":
		childHolds(os.Args[1])
	case "full":
		childRunsOutOfSpace(os.Args[1])
	default:
		return false
	}
	return true
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// childCommits appends entries, the first with the given number, in small batches as fast as they are taken, and writes
// the number of each that was acknowledged, until it is killed. Now and then it retries one that it rejected.
func childCommits(path, first string) {
	l, err := Open(path, Config{})
	must(err)
	var n int
	_, err = fmt.Sscan(first, &n)
	must(err)
	for {
		var batch []Entry
		for len(batch) < 8 {
			e := testEntry(n + len(batch))
			if (n+len(batch))%5 == 0 {
				e = rejectedEntry(n+len(batch), "run", outcome.Corrupt)
			}
			batch = append(batch, e)
		}
		_, err := l.Append(batch)
		must(err)
		for range batch {
			fmt.Println(n)
			if n%1000 == 0 {
				_, err := l.Revive([]taskid.ID{testID(n - 500)})
				must(err)
			}
			n++
		}
	}
}

func TestAppendedEntriesSurviveEveryKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	acknowledged := make(map[int]bool)
	next := 1
	for kill := range 30 {
		cmd := child(t, "commit", path, fmt.Sprint(next))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// How many are awaited decides roughly, and the scheduler exactly, where the blow falls. What the child
		// still wrote before it is read to the end.
		wait := rand.IntN(1 + 40*kill)
		lines := bufio.NewScanner(out)
		killed := false
		for n := 0; lines.Scan(); n++ {
			var number int
			if _, err := fmt.Sscan(lines.Text(), &number); err != nil {
				continue // cut in the middle of a line
			}
			acknowledged[number] = true
			next = max(next, number+1)
			if n >= wait && !killed {
				killed = true
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); !killed {
			t.Fatalf("the child ended by itself: %v", err)
		}
		next += 1000 // what was submitted and not acknowledged may be there or not
		checkAcknowledged(t, path, acknowledged)
	}
	if len(acknowledged) < 1000 {
		t.Errorf("only %d entries were acknowledged", len(acknowledged))
	}
}

func checkAcknowledged(t *testing.T, path string, acknowledged map[int]bool) {
	t.Helper()
	l, err := Open(path, Config{})
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	defer l.Close()
	if err := l.Check(t.Context()); err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	for n := range acknowledged {
		if (n+500)%1000 == 0 {
			continue // may have been revived
		}
		if _, found, err := l.Lookup(testID(n)); !found || err != nil {
			t.Errorf("entry %d was acknowledged and is lost: %v", n, err)
		}
	}
}

// childHolds opens the ledger, says so, and keeps it until it is killed.
func childHolds(path string) {
	l, err := Open(path, Config{})
	must(err)
	fmt.Println("open")
	_, _ = os.Stdin.Read(make([]byte, 1)) // nothing comes
	must(l.Close())
}

func TestLedgerOfAnotherProcessIsInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	cmd := child(t, "hold", path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	bufio.NewScanner(out).Scan()
	_, err = Open(path, Config{LockTimeout: 60 * time.Millisecond})
	if !errors.Is(err, ErrInUse) || !temporary(err) || !strings.Contains(err.Error(), path) {
		t.Errorf("Open = %v, want an ErrInUse that names the ledger and the wait", err)
	}
	// Whoever waits gets it as soon as it is free.
	opened := make(chan error, 1)
	go func() {
		l, err := Open(path, Config{LockTimeout: time.Minute})
		if err == nil {
			err = l.Close()
		}
		opened <- err
	}()
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("Open once it is free: %v", err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// childRunsOutOfSpace has the kernel refuse writes beyond a size, which is how a full disk looks to a writer, and then
// allow them again. What it prints are complaints.
func childRunsOutOfSpace(path string) {
	l, err := Open(path, Config{})
	must(err)
	var was syscall.Rlimit
	must(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
	small := was
	small.Cur = 300_000
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small))
	good, failures := 0, 0
	for failures < 3 && good < 100_000 {
		batch := make([]Entry, 100)
		for i := range batch {
			batch[i] = testEntry(good + i)
		}
		batch[0].Worker = fmt.Sprintf("a new word in transaction %d", good/100)
		if _, err := l.Append(batch); err == nil {
			good += 100
		} else if failures++; !errors.Is(err, ErrUnavailable) || !temporary(err) {
			fmt.Printf("Append with no room = %v, want a temporary ErrUnavailable\n", err)
		}
	}
	if failures == 0 {
		fmt.Println("there was room for 100 000 entries in 300 kB")
	}
	check := func(when string, want int64) {
		c, err := l.Totals()
		if err != nil || c.Done != want {
			fmt.Printf("%s: %d entries, %v, want %d\n", when, c.Done, err, want)
		}
		if err := l.Check(context.Background()); err != nil {
			fmt.Printf("%s: %v\n", when, err)
		}
	}
	check("with no room", int64(good))
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was))
	batch := make([]Entry, 500)
	for i := range batch {
		batch[i] = testEntry(good + i)
		batch[i].Worker = fmt.Sprintf("a new word in transaction %d", good/100)
	}
	if _, err := l.Append(batch); err != nil {
		fmt.Printf("Append once there is room = %v\n", err)
	}
	check("once there is room", int64(good+500))
	must(l.Close())
	l, err = Open(path, Config{})
	must(err)
	check("opened again", int64(good+500))
	if e, _, err := l.Lookup(testID(good)); err != nil || e.Worker != batch[0].Worker {
		fmt.Printf("the new word reads as %q, %v\n", e.Worker, err)
	}
	must(l.Close())
}

func TestFullDiskIsReportedAndPasses(t *testing.T) {
	out, err := child(t, "full", filepath.Join(t.TempDir(), "ledger.db")).Output()
	if err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
