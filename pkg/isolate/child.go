package isolate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

const (
	// partingGrace is how long a child may take to end after it closed its pipe, or was asked to end.
	partingGrace = 2 * time.Second

	// stderrGrace is how long the standard error of an ended child may stay open in a process that it left behind.
	stderrGrace = time.Second
)

// errUntouched is the error of a request of which no byte reached the child.
var errUntouched = errors.New("the child had ended before")

// child is the parent's side of a child process.
type child struct {
	slot     int
	out      *region // nil without shared memory
	limit    int64   // of all outputs of a task, bytes
	cmd      *exec.Cmd
	requests *os.File
	replies  *os.File
	in       *bufio.Reader
	stderr   excerpt
	gauge    *gauge
	dead     chan struct{} // closed when it has ended and was waited for
	buf      []byte        // the last message
	message  []byte        // the last request

	mu     sync.Mutex
	served uint64      // tasks that were begun
	task   uint64      // its present task, 0 while idle
	cause  Cause       // why it is to end, or has ended
	broke  error       // with Nonsense: what it did
	late   *time.Timer // ends it if it does not end when it should
	gone   bool        // its process number may belong to another now
	peak   int64       // largest private memory that was seen in the present task, bytes
}

// fresh reports whether c has done nothing yet.
func (c *child) fresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served == 0
}

// wellBehaved reports whether c is fit for another task.
func (c *child) wellBehaved() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause == ""
}

// kill ends c, but only while it works on task; anyTask stands for whatever it does. The first cause stays.
func (c *child) kill(task uint64, cause Cause, broke error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != "" && c.cause != Stopped && c.cause != Replaced || task != anyTask && task != c.task {
		return
	}
	if c.cause == "" {
		c.cause, c.broke = cause, broke
	}
	if !c.gone {
		killAll(c.cmd.Process)
	}
}

const anyTask = ^uint64(0)

// retire lets an idle child end: it does when its requests end.
func (c *child) retire(cause Cause) {
	c.mu.Lock()
	if c.cause == "" {
		c.cause = cause
	}
	c.mu.Unlock()
	c.requests.Close()
	late := time.AfterFunc(partingGrace, func() { c.kill(anyTask, cause, nil) })
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		late.Stop()
	}
	c.late = late
}

// reap waits until the process has ended, and clears up after it.
func (c *child) reap() {
	if awaitExit(c.cmd.Process) {
		c.mu.Lock()
		killAll(c.cmd.Process) // what it may have started and left
		c.gone = true
		c.mu.Unlock()
	}
	_ = c.cmd.Wait() // says how it ended, which ProcessState does too
	c.mu.Lock()
	c.gone = true
	if c.cause == "" {
		c.cause = causeOf(c.cmd.ProcessState)
	}
	if c.late != nil {
		c.late.Stop()
	}
	c.mu.Unlock()
	c.requests.Close()
	c.replies.Close()
	c.gauge.close()
	close(c.dead)
}

// look measures c's memory, and ends it if it takes more than limit for its task.
func (c *child) look(limit int64) {
	c.mu.Lock()
	task := c.task
	c.mu.Unlock()
	if task == 0 {
		return
	}
	now := c.gauge.read()
	c.mu.Lock()
	if c.task == task {
		c.peak = max(c.peak, now)
	}
	c.mu.Unlock()
	if now > limit {
		c.kill(task, Memory, nil)
	}
}

// transform has c carry out q and returns what it says, with the outputs' data. image is what q is about if it is not
// in shared memory. The error is errUntouched or a *death; c has ended then.
func (c *child) transform(
	ctx context.Context, q request, image []byte, variants []recipe.Variant, timeout time.Duration,
) (reply, error) {
	c.mu.Lock()
	c.served++
	fresh := c.served == 1
	q.task = c.served
	c.task, c.peak = q.task, 0
	c.mu.Unlock()
	c.stderr.reset()

	stop := context.AfterFunc(ctx, func() { c.kill(q.task, Cancelled, nil) })
	timer := time.AfterFunc(timeout, func() { c.kill(q.task, Timeout, nil) })
	r, err := c.exchange(q, image, variants)
	if err != nil {
		c.part(q.task, err)
	}
	stop()
	timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.task = 0
	if err == nil {
		return r, nil
	}
	if errors.Is(err, errUntouched) && c.cause != Cancelled {
		return reply{}, errUntouched
	}
	return reply{}, &death{
		cause: c.cause, fresh: fresh, state: c.cmd.ProcessState,
		report: c.stderr.String(), peak: c.peak, broke: c.broke,
	}
}

// part waits until c has ended, after err ended the talk with it, and makes it if it does not by itself.
func (c *child) part(task uint64, err error) {
	if isEnd(err) {
		// It is ending, or has only closed its pipe.
		late := time.NewTimer(partingGrace)
		defer late.Stop()
		select {
		case <-c.dead:
			return
		case <-late.C:
			err = errors.New("it closed its pipe and lived on")
		}
	}
	c.kill(task, Nonsense, err)
	<-c.dead
}

// isEnd reports whether err tells of a pipe's end rather than of what came through it.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, os.ErrClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, errUntouched)
}

// exchange sends q and reads the answer, which it does not believe.
func (c *child) exchange(q request, image []byte, variants []recipe.Variant) (reply, error) {
	c.message = q.append(c.message)
	if n, err := c.requests.Write(c.message); err != nil {
		if n == 0 {
			err = errUntouched
		}
		return reply{}, err
	}
	if c.out == nil {
		if _, err := c.requests.Write(image); err != nil {
			return reply{}, err
		}
	}
	kind, body, err := readMessage(c.in, &c.buf, maxReply)
	if err != nil {
		return reply{}, err
	}
	r, err := parseReply(kind, body, c.limit)
	if err != nil {
		return reply{}, err
	}
	if r.task != q.task {
		return reply{}, fmt.Errorf("an answer to task %d instead of %d", r.task, q.task)
	}
	if r.result != nil {
		if err := c.collect(r, variants); err != nil {
			return reply{}, err
		}
	}
	if n := c.in.Buffered(); n > 0 {
		return reply{}, fmt.Errorf("%d bytes after the end of its answer", n)
	}
	return r, nil
}

// collect fills in what r's outputs lack: their names, which the child is not asked for, and their data. The data is
// copied out before anybody looks at it, for the child can still write to where it lies.
func (c *child) collect(r reply, variants []recipe.Variant) error {
	outputs := r.result.Outputs
	if len(outputs) != len(variants) {
		return fmt.Errorf("%d outputs of %d variants", len(outputs), len(variants))
	}
	var data []byte
	if c.out != nil {
		data = bytes.Clone(c.out.mem[:r.total])
		c.out.trim(keep, r.total)
	} else {
		data = make([]byte, r.total)
		if _, err := io.ReadFull(c.in, data); err != nil {
			return err
		}
	}
	for i := range outputs {
		n := r.sizes[i]
		outputs[i].Variant, outputs[i].Data = variants[i].Name, data[:n:n]
		data = data[n:]
	}
	return nil
}
