//go:build unix

// Package program builds the programs, and runs them for tests: what they write is kept, what they say is waited for, and
// none of them outlives its test.
package program

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Limit bounds every single wait: long enough for a machine that does many other things, too.
const Limit = 90 * time.Second

// With calls run with the directory where the four programs are, and returns what that does; 1 when they cannot be built.
func With(run func(dir string) int) int {
	dir, remove, err := Build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer remove()
	return run(dir)
}

// Build builds the four programs, or takes those of the directory that PROGRAMS_UNDER_TEST names, and returns where they are
// and what is to be called when they are needed no more.
func Build() (dir string, remove func(), err error) {
	if dir = os.Getenv("PROGRAMS_UNDER_TEST"); dir != "" {
		return dir, func() {}, nil
	}
	if dir, err = os.MkdirTemp("", "imagefarm-programs-"); err != nil {
		return "", nil, err
	}
	args := []string{"build", "-tags", "nodynamic", "-o", dir + string(filepath.Separator)}
	for _, name := range []string{"farm", "ventilator", "worker", "sink"} {
		args = append(args, "github.com/imagefarm/imagefarm/"+name)
	}
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		os.RemoveAll(dir)
		return "", nil, fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return dir, func() { os.RemoveAll(dir) }, nil
}

// Process is a program under test.
type Process struct {
	Name string
	Cmd  *exec.Cmd

	t    testing.TB
	over chan struct{}

	mu      sync.Mutex
	stdout  bytes.Buffer
	lines   []string // of standard error, whole ones
	partial []byte
	changed chan struct{} // closed when more is written
}

// Start starts a process that ends with the test, and shows what it wrote when the test fails.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := Launch(t, name, cmd)
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("=== %s: %s\n%s", name, strings.Join(cmd.Args, " "), p.Said())
		}
	})
	return p
}

// Launch starts a process that the caller kills. Its environment is ours without what would steer the programs, and what
// cmd.Env adds.
func Launch(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Name: name, Cmd: cmd, t: t, over: make(chan struct{}), changed: make(chan struct{})}
	ours := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "IMAGEFARM_") })
	cmd.Env = append(ours, cmd.Env...)
	cmd.Stdout, cmd.Stderr = (*stdoutOf)(p), (*stderrOf)(p)
	cmd.SysProcAttr = dieWithUs()
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		_ = cmd.Wait() // its ProcessState tells
		close(p.over)
	}()
	return p
}

type stdoutOf Process

// Write implements io.Writer.
func (p *stdoutOf) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer (*Process)(p).tell()
	return p.stdout.Write(b)
}

// tell wakes those who wait for something written. The lock is held.
func (p *Process) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

type stderrOf Process

// Write implements io.Writer.
func (p *stderrOf) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.partial = append(p.partial, b...)
	for {
		line, rest, ok := bytes.Cut(p.partial, []byte("\n"))
		if !ok {
			break
		}
		p.lines = append(p.lines, string(line))
		p.partial = rest
	}
	(*Process)(p).tell()
	return len(b), nil
}

// Said is all that the process has written, standard error first.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := strings.Join(p.lines, "\n") + "\n" + string(p.partial)
	if p.stdout.Len() > 0 {
		s += "\n--- standard output\n" + p.stdout.String()
	}
	return s
}

// Output is what the process has written to standard output.
func (p *Process) Output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String()
}

// Log is the whole lines that the process has written to standard error.
func (p *Process) Log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// await waits until there, which is called with the lock, reports that what has been written.
func (p *Process) await(what string, there func() bool) {
	p.t.Helper()
	deadline := time.NewTimer(Limit)
	defer deadline.Stop()
	for ended := false; ; {
		p.mu.Lock()
		ok, changed := there(), p.changed
		p.mu.Unlock()
		switch {
		case ok:
			return
		case ended:
			p.t.Fatalf("%s ended (%v) and never said %s", p.Name, p.Cmd.ProcessState, what)
		}
		select {
		case <-changed:
		case <-p.over:
			ended = true // look once more: its last words may have come meanwhile
		case <-deadline.C:
			p.t.Fatalf("%s did not say %s within %v", p.Name, what, Limit)
		}
	}
}

// AwaitLine waits for the nth line (from 1) that match accepts, in all that the process has written to standard error and
// will write.
func (p *Process) AwaitLine(what string, n int, match func(line string) bool) (found string) {
	p.t.Helper()
	at := 0
	p.await(what, func() bool {
		for ; at < len(p.lines); at++ {
			if found = p.lines[at]; match(found) {
				if n--; n == 0 {
					return true
				}
			}
		}
		return false
	})
	return found
}

// Await waits for the first JSON log record with that message and, if given, with those attributes (key, value, …).
func (p *Process) Await(message string, attributes ...string) map[string]any {
	p.t.Helper()
	return p.AwaitNth(1, message, attributes...)
}

// AwaitNth waits for the nth such record.
func (p *Process) AwaitNth(n int, message string, attributes ...string) map[string]any {
	p.t.Helper()
	var record map[string]any
	p.AwaitLine(fmt.Sprintf("%q %v (%d×)", message, attributes, n), n, func(line string) bool {
		record = make(map[string]any) // Unmarshal would merge into the last one
		if json.Unmarshal([]byte(line), &record) != nil || record["msg"] != message {
			return false
		}
		for pair := range slices.Chunk(attributes, 2) {
			if fmt.Sprint(record[pair[0]]) != pair[1] {
				return false
			}
		}
		return true
	})
	return maps.Clone(record)
}

// AwaitText waits until the process has written text to standard error, n times in all.
func (p *Process) AwaitText(text string, n int) {
	p.t.Helper()
	p.await(fmt.Sprintf("%q %d times", text, n), func() bool {
		found := strings.Count(string(p.partial), text)
		for _, line := range p.lines {
			found += strings.Count(line, text)
		}
		return found >= n
	})
}

// AwaitOutput waits until the process has written text to standard output.
func (p *Process) AwaitOutput(text string) {
	p.t.Helper()
	p.await(fmt.Sprintf("%q on standard output", text), func() bool { return strings.Contains(p.stdout.String(), text) })
}

// HTTP is the address of the process's admin server.
func (p *Process) HTTP() string {
	p.t.Helper()
	return p.Await("serving")["http"].(string)
}

// Signal sends a signal, unless the process has ended.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.Cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("%v to %s: %v", sig, p.Name, err)
	}
}

// Kill ends the process at once, even a stopped one, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill() // it may have ended
	<-p.over
}

// Over is closed when the process has ended.
func (p *Process) Over() <-chan struct{} { return p.over }

// Wait returns the exit code of a process that ends by itself; −1 when a signal ended it.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.over:
		return p.Cmd.ProcessState.ExitCode()
	case <-time.After(Limit):
		p.t.Fatalf("%s has not ended within %v", p.Name, Limit)
		return 0
	}
}

// MustExit waits for the process's end by itself, with that code.
func (p *Process) MustExit(code int) {
	p.t.Helper()
	if got := p.Wait(); got != code {
		p.t.Fatalf("%s ended with %d, not %d", p.Name, got, code)
	}
}

// MustLive fails the test when the process has ended.
func (p *Process) MustLive() {
	p.t.Helper()
	select {
	case <-p.over:
		p.t.Fatalf("%s ended: %v", p.Name, p.Cmd.ProcessState)
	default:
	}
}
