//go:build unix

package farmtest

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

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

// Launch starts a process that the caller kills. Its environment is ours without what would steer the programs, and
// what cmd.Env adds.
func Launch(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Name: name, Cmd: cmd, t: t, over: make(chan struct{}), changed: make(chan struct{})}
	cmd.Env = append(Environ(), cmd.Env...)
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

// Readiness returns the status code and the text of the process's /readyz.
func (p *Process) Readiness() (code int, text string) {
	p.t.Helper()
	client := http.Client{Timeout: Limit}
	defer client.CloseIdleConnections()
	reply, err := client.Get(p.HTTP() + "/readyz")
	if err != nil {
		p.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply.StatusCode, string(body)
}

// MustSay fails the test for each of the words that the process has not written.
func (p *Process) MustSay(words ...string) {
	p.t.Helper()
	for _, w := range words {
		if !strings.Contains(p.Said(), w) {
			p.t.Errorf("%s does not say %q: %s", p.Name, w, p.Said())
		}
	}
}

// SaysLine reports whether one line that the process wrote to standard error holds all of the texts.
func (p *Process) SaysLine(texts ...string) bool {
	return slices.ContainsFunc(p.Log(), func(line string) bool {
		return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) })
	})
}

// MustSayLine fails the test unless one line that the process wrote to standard error holds all of the texts.
func (p *Process) MustSayLine(texts ...string) {
	p.t.Helper()
	if !p.SaysLine(texts...) {
		p.t.Errorf("%s says no line with %q", p.Name, texts)
	}
}
