package isolate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	lookPeriod = 50 * time.Millisecond // between two looks at busy children
	firstPause = 100 * time.Millisecond
	lastPause  = 10 * time.Second
)

// Run starts the children and replaces those that end, until ctx ends. Then transforms that have a child finish, each
// within TaskTimeout, and those that wait for one fail with ErrStopped. Run returns nil when every child has ended; it
// fails only if it is called twice. A caller that wants waiting transforms to finish ends ctx after they have.
func (e *Engine) Run(ctx context.Context) error {
	if e.started.Swap(true) {
		return errors.New("isolate: Run was called twice")
	}
	if !e.piped {
		s, err := newStore(e.cfg)
		if err != nil {
			e.cfg.Log.Info("no shared memory: images go to the child processes through pipes", "error", err)
		} else {
			e.lender.Store(s)
			e.store.Store(s)
			defer s.close()
			defer e.store.Store(nil)
		}
	}
	if e.store.Load() == nil {
		e.pool.turns = 1 // the image of a queued task would fill the pipe
	}
	var children, rest sync.WaitGroup
	forks := make(chan func())
	rest.Go(func() { e.forker(forks) })
	done := make(chan struct{})
	rest.Go(func() { e.watch(done) })
	for slot := range e.cfg.Slots {
		children.Go(func() { e.supervise(ctx, slot, forks) })
	}
	<-ctx.Done()
	e.pool.close()
	children.Wait()
	<-e.pool.drained
	close(forks)
	close(done)
	rest.Wait()
	return nil
}

// forker calls the functions that it receives on one thread, which lives as long as Run: Linux kills a child when the
// thread that started it ends (Pdeathsig), not when the process does. What the thread cannot do, its children cannot do
// either. The goroutine never unlocks the thread, so the runtime ends it with the goroutine.
func (e *Engine) forker(forks <-chan func()) {
	runtime.LockOSThread()
	slacken()
	if !e.bare {
		e.outer = confineForker(e.cfg.Readable)
	}
	for f := range forks {
		f()
	}
}

// watch enforces the limits of busy children every lookPeriod until done is closed.
func (e *Engine) watch(done <-chan struct{}) {
	tick := time.NewTicker(lookPeriod)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		children, _ := e.pool.children()
		for _, c := range children {
			c.enforceLimits(&e.cfg)
		}
	}
}

// supervise keeps the child of one slot running until ctx ends.
func (e *Engine) supervise(ctx context.Context, slot int, forks chan<- func()) {
	pause := time.Duration(0)
	for ctx.Err() == nil {
		c, err := e.start(ctx, slot, forks)
		if err == nil {
			e.pool.add(c)
			<-c.dead
			e.pool.remove(c)
			e.pool.awaitUnused(c) // the next child gets its slot's memory
			c.replies.Close()
			if e.recordEnd(c) {
				pause = 0
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		pause = min(max(2*pause, firstPause), lastPause)
		if err != nil {
			e.pool.startFailed(err)
			e.cfg.Log.Error("cannot start a child process", "slot", slot, "error", err, "next_try_in", pause)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// recordEnd counts and logs the end of a child. It returns false if the child ended by itself before its first task:
// its replacement is likely to do the same.
func (e *Engine) recordEnd(c *child) bool {
	e.count(c.cause)
	switch c.cause {
	case Stopped, Replaced, Cancelled:
		return true
	}
	e.cfg.Log.Warn("a child process ended and is replaced", "slot", c.slot, "pid", c.cmd.Process.Pid,
		"cause", string(c.cause),
		"state", c.cmd.ProcessState.String(), "tasks", c.served, "stderr", c.stderr.String())
	return c.served > 0
}

func (e *Engine) count(cause Cause) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended[cause]++
}

// start starts the child of a slot and waits until it is ready.
func (e *Engine) start(ctx context.Context, slot int, forks chan<- func()) (*child, error) {
	e.mu.Lock()
	e.starts++
	e.mu.Unlock()
	c, err := e.launch(slot, forks)
	if err != nil {
		e.count(Start)
		return nil, fmt.Errorf("start a child: %w", err)
	}
	go c.reap()
	stop := context.AfterFunc(ctx, func() { c.kill(anyTask, Stopped, nil) })
	timer := time.AfterFunc(e.cfg.StartTimeout, func() { c.kill(anyTask, Start, nil) })
	err = e.setUp(c)
	stop()
	timer.Stop()
	if err == nil {
		return c, nil
	}
	c.kill(anyTask, Start, nil)
	<-c.dead
	c.replies.Close()
	c.mu.Lock()
	if c.cause != Stopped {
		c.cause = Start // also when the child ended by itself
	}
	cause := c.cause
	c.mu.Unlock()
	e.count(cause)
	return nil, fmt.Errorf("start a child: %w (%v): %s", err, c.cmd.ProcessState, headline(c.stderr.String()))
}

// setUp sends a new child its setup and waits until it is ready.
func (e *Engine) setUp(c *child) error {
	c.libraries = e.pool.needed()
	s := setup{
		shared:    c.out != nil,
		sandbox:   !e.bare,
		libraries: c.libraries,
		input:     uint64(e.cfg.MaxInput),
		output:    uint64(e.cfg.MaxOutput),
		memory:    uint64(e.cfg.TaskMemory),
		engine:    e.cfg.Engine,
		settings:  string(e.cfg.Settings),
	}
	if c.out != nil {
		s.input = uint64(len(e.store.Load().in.mem))
	}
	if _, err := c.requests.Write(s.append(nil)); err != nil {
		return c.explainEnd(err)
	}
	kind, body, err := readMessage(c.in, &c.buf, maxReply)
	if err != nil {
		return c.explainEnd(err)
	}
	r, err := parseReady(kind, body)
	if err != nil {
		return err
	}
	e.recordSandbox(append(slices.Clone(e.outer), r.layers...))
	return nil
}

// explainEnd waits up to partingGrace for a child that closed its pipe to exit, so that the error can quote what it
// wrote last.
func (c *child) explainEnd(err error) error {
	if !isEnd(err) {
		return err
	}
	select {
	case <-c.dead:
	case <-time.After(partingGrace):
	}
	return errors.New("it ended before it was ready")
}

// launch executes this program as a child.
func (e *Engine) launch(slot int, forks chan<- func()) (*child, error) {
	path, err := Program()
	if err != nil {
		return nil, err
	}
	requestsIn, requestsOut, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	repliesIn, repliesOut, err := os.Pipe()
	if err != nil {
		requestsIn.Close()
		requestsOut.Close()
		return nil, err
	}
	c := &child{
		slot: slot, limit: e.cfg.MaxOutput, requests: requestsOut, replies: repliesIn,
		in: bufio.NewReaderSize(repliesIn, 4<<10), dead: make(chan struct{}),
	}
	var files []*os.File
	if s := e.store.Load(); s != nil {
		c.store, c.out = s, s.out[slot]
		files = sharedFiles(s.in, c.out)
	}
	files = append(files, e.inherited...)
	c.cmd = exec.Command(path) //nolint:noctx // the pool kills its children itself
	c.cmd.Args = []string{"imagefarm-child"}
	c.cmd.Env = e.environment(os.Environ())
	c.cmd.Stderr = &c.stderr
	c.cmd.WaitDelay = stderrGrace
	c.cmd.SysProcAttr = attributes()
	handPipes(c.cmd, requestsIn, repliesOut, files)
	started := make(chan error, 1)
	forks <- func() { started <- c.cmd.Start() }
	err = <-started
	for _, f := range []io.Closer{requestsIn, repliesOut} {
		f.Close()
	}
	if err != nil {
		requestsOut.Close()
		repliesIn.Close()
		return nil, err
	}
	preferOOMKill(c.cmd.Process.Pid)
	c.gauge = openGauge(c.cmd.Process.Pid)
	return c, nil
}

// environment returns the variables of env that a child inherits: those of the Go runtime, the loader and the locale. A
// child opens files of strangers, so passwords in the environment must not reach it.
func (e *Engine) environment(env []string) []string {
	var kept []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "GOMAXPROCS", "GOMEMLIMIT": // the parent's own
		case "PATH", "HOME", "TMPDIR", "TZ", "LANG", "GODEBUG", "GOGC", "GOTRACEBACK", "GOCOVERDIR", "GORACE",
			"SYSTEMROOT":
			kept = append(kept, v)
		default:
			if strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "DYLD_") {
				kept = append(kept, v)
			}
		}
	}
	kept = append(kept, "GOMAXPROCS="+strconv.Itoa(e.cfg.Threads), childEnv+"=1")
	return append(kept, e.cfg.Env...)
}
