//go:build unix

package processes

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

// process is a program under test. What it writes is kept, and shown when the test fails.
type process struct {
	t    *testing.T
	name string
	cmd  *exec.Cmd
	over chan struct{} // closed when it has ended
	err  error         // of Wait; read after over

	mu      sync.Mutex
	stdout  bytes.Buffer
	lines   []string // of standard error, whole ones
	partial []byte
	changed chan struct{} // closed when more is written
}

// start runs one of the four programs.
func start(t *testing.T, name, program string, args ...string) *process {
	t.Helper()
	return startCommand(t, name, exec.Command(filepath.Join(programs, program), args...))
}

func startCommand(t *testing.T, name string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, name: name, cmd: cmd, over: make(chan struct{}), changed: make(chan struct{})}
	cmd.Env = cleanEnvironment(cmd.Env)
	cmd.Stdout, cmd.Stderr = (*stdoutOf)(p), (*stderrOf)(p)
	cmd.SysProcAttr = dieWithUs()
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.over)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("=== %s: %s\n%s", name, strings.Join(cmd.Args, " "), p.everything())
		}
	})
	return p
}

// cleanEnvironment is ours without what would steer the programs, and with what the test adds.
func cleanEnvironment(extra []string) []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "IMAGEFARM_") })
	return append(env, extra...)
}

type stdoutOf process

// Write implements io.Writer.
func (p *stdoutOf) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer (*process)(p).tell()
	return p.stdout.Write(b)
}

// tell wakes those who wait for something written. The lock is held.
func (p *process) tell() {
	close(p.changed)
	p.changed = make(chan struct{})
}

type stderrOf process

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
	(*process)(p).tell()
	return len(b), nil
}

// everything is what the process has written.
func (p *process) everything() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := strings.Join(p.lines, "\n") + "\n" + string(p.partial)
	if p.stdout.Len() > 0 {
		s += "\n--- standard output\n" + p.stdout.String()
	}
	return s
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String()
}

func (p *process) log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// awaitLine waits for the nth line (from 1) that match accepts, in all that the process has written and will write.
func (p *process) awaitLine(what string, n int, match func(line string) bool) string {
	p.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	ended := false
	for at := 0; ; {
		p.mu.Lock()
		fresh, changed := p.lines[at:], p.changed
		at = len(p.lines)
		p.mu.Unlock()
		for _, line := range fresh {
			if match(line) {
				if n--; n == 0 {
					return line
				}
			}
		}
		if ended {
			p.t.Fatalf("%s ended (%v) and never said %s", p.name, p.err, what)
		}
		select {
		case <-changed:
		case <-p.over:
			ended = true // look once more: its last lines may have come meanwhile
		case <-deadline.C:
			p.t.Fatalf("%s did not say %s within %v", p.name, what, limit)
		}
	}
}

// await waits for the first JSON log record with that message and, if given, with those attributes (key, value, …).
func (p *process) await(message string, attributes ...string) map[string]any {
	p.t.Helper()
	return p.awaitNth(1, message, attributes...)
}

func (p *process) awaitNth(n int, message string, attributes ...string) map[string]any {
	p.t.Helper()
	var record map[string]any
	p.awaitLine(fmt.Sprintf("%q %v (%d×)", message, attributes, n), n, func(line string) bool {
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

// awaitOutput waits until the process has written text to standard output.
func (p *process) awaitOutput(text string) {
	p.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		p.mu.Lock()
		ok, changed := strings.Contains(p.stdout.String(), text), p.changed
		p.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-p.over:
			if strings.Contains(p.output(), text) {
				return
			}
			p.t.Fatalf("%s ended (%v) and never printed %q", p.name, p.err, text)
		case <-deadline.C:
			p.t.Fatalf("%s did not print %q within %v", p.name, text, limit)
		}
	}
}

// http is the address of the process's admin server.
func (p *process) http() string {
	p.t.Helper()
	return p.await("serving")["http"].(string)
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatalf("%v to %s: %v", sig, p.name, err)
	}
}

// kill ends the process at once, even a stopped one, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.over
}

// wait returns the exit code of a process that ends by itself; −1 when a signal ended it.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.over:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		p.t.Fatalf("%s has not ended within %v", p.name, limit)
		return 0
	}
}

func (p *process) mustExit(code int) {
	p.t.Helper()
	if got := p.wait(); got != code {
		p.t.Fatalf("%s ended with %d, not %d", p.name, got, code)
	}
}

func (p *process) mustLive() {
	p.t.Helper()
	select {
	case <-p.over:
		p.t.Fatalf("%s ended: %v", p.name, p.err)
	default:
	}
}
