//go:build linux

package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
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

	mu      sync.Mutex
	text    []byte
	changed chan struct{} // closed when more is written
}

func start(t *testing.T, program string, args ...string) *process {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, program), args...)
	p := &process{t: t, name: program, cmd: cmd, over: make(chan struct{}), changed: make(chan struct{})}
	cmd.Env = slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, "IMAGEFARM_") })
	cmd.Stdout, cmd.Stderr = p, p
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", program, err)
	}
	go func() {
		_ = cmd.Wait() // its exit code tells
		close(p.over)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("=== %s\n%s", strings.Join(cmd.Args, " "), p.said())
		}
	})
	return p
}

// Write implements io.Writer.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = append(p.text, b...)
	close(p.changed)
	p.changed = make(chan struct{})
	return len(b), nil
}

func (p *process) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return string(p.text)
}

// await waits until the process has said words, n times in all.
func (p *process) await(words string, n int) {
	p.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for ended := false; ; {
		p.mu.Lock()
		ok, changed := bytes.Count(p.text, []byte(words)) >= n, p.changed
		p.mu.Unlock()
		switch {
		case ok:
			return
		case ended:
			p.t.Fatalf("%s ended with %d and never said %q", p.name, p.cmd.ProcessState.ExitCode(), words)
		}
		select {
		case <-changed:
		case <-p.over:
			ended = true
		case <-deadline.C:
			p.t.Fatalf("%s did not say %q %d times within %v", p.name, words, n, limit)
		}
	}
}

// http is the address of the process's admin server.
func (p *process) http() string {
	p.t.Helper()
	p.await(`"msg":"serving"`, 1)
	for line := range strings.Lines(p.said()) {
		var record struct{ Msg, HTTP string }
		if json.Unmarshal([]byte(line), &record) == nil && record.Msg == "serving" {
			return record.HTTP
		}
	}
	p.t.Fatalf("%s serves nowhere", p.name)
	return ""
}

// readiness returns the status and the words of /readyz.
func (p *process) readiness() (int, string) {
	p.t.Helper()
	client := http.Client{Timeout: limit}
	defer client.CloseIdleConnections()
	reply, err := client.Get(p.http() + "/readyz")
	if err != nil {
		p.t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("%v to %s: %v", sig, p.name, err)
	}
}

// kill ends the process at once, even a stopped one, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.over
}

func (p *process) mustLive() {
	p.t.Helper()
	select {
	case <-p.over:
		p.t.Fatalf("%s ended with %d", p.name, p.cmd.ProcessState.ExitCode())
	default:
	}
}

// mustExit waits for the process's end by itself.
func (p *process) mustExit(code int) {
	p.t.Helper()
	select {
	case <-p.over:
	case <-time.After(limit):
		p.t.Fatalf("%s has not ended within %v", p.name, limit)
	}
	if got := p.cmd.ProcessState.ExitCode(); got != code {
		p.t.Fatalf("%s ended with %d, not %d", p.name, got, code)
	}
}

func (p *process) mustSay(words ...string) {
	p.t.Helper()
	for _, w := range words {
		if !strings.Contains(p.said(), w) {
			p.t.Errorf("%s does not say %q: %s", p.name, w, p.said())
		}
	}
}

// mustBalance fails unless the run's summary says that it found n images and made all.
func (p *process) mustBalance(n int) {
	p.t.Helper()
	p.mustSay(fmt.Sprintf("%d images found = %d done + 0 skipped + 0 rejected + 0 dead: balanced", n, n))
}
