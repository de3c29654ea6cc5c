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
	store    *store  // nil without shared memory
	out      *region // the slot's, nil without
	limit    int64   // of all outputs of a task, bytes
	cmd      *exec.Cmd
	requests *os.File
	replies  *os.File
	in       *bufio.Reader
	stderr   heard
	gauge    *gauge
	dead     chan struct{} // closed when it has ended and was waited for
	buf      []byte        // the last message, of whoever has the first turn

	sending sync.Mutex // held while a request is written, so that requests go in the order of their turns
	message []byte     // the last request

	mu     sync.Mutex
	served uint64      // tasks that it was sent
	turns  []*turn     // tasks that it was sent and has not answered, the one that it is at first
	task   uint64      // the first's, 0 while idle
	cause  Cause       // why it is to end, or has ended
	blamed uint64      // the task for which it was killed, 0 if for none
	broke  error       // with Nonsense: what it did
	late   *time.Timer // ends it if it does not end when it should
	gone   bool        // its process number may belong to another now
	peak   int64       // largest private memory that was seen in the present task, bytes
	clock  clock       // of the present task
}

// turn is a task's place in the line at a child. While the child is at one task the next waits there already, so that it goes
// on with that at once, however long its parent, who may have no processor at the moment, takes to hear of the first.
type turn struct {
	task  uint64
	first chan struct{} // closed when the child is at it, for all its parent knows
	vain  bool          // the child died of the one before; set before first is closed
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
		if task != anyTask {
			c.blamed = task
		}
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
	// What it answered before is still to be read; something that it left behind may keep the pipe open.
	_ = c.replies.SetReadDeadline(time.Now().Add(partingGrace))
	c.gauge.close()
	close(c.dead)
}

// look measures what c has used for its task, and ends it when that is more than TaskMemory or TaskTimeout allow.
func (c *child) look(cfg *Config) {
	c.mu.Lock()
	task := c.task
	c.mu.Unlock()
	if task == 0 {
		return
	}
	memory := c.gauge.read()
	pid := c.cmd.Process.Pid
	processor := processorTime(pid)
	c.mu.Lock()
	if c.task != task {
		c.mu.Unlock()
		return
	}
	c.peak = max(c.peak, memory)
	c.clock.advance(time.Now(), processor, func() bool { return asleep(pid) })
	now := c.clock
	c.mu.Unlock()
	switch {
	case memory > cfg.TaskMemory:
		c.kill(task, Memory, nil)
	case now.spent >= cfg.TaskTimeout:
		c.kill(task, Timeout, nil)
	case now.looked.Sub(now.began) >= patience*cfg.TaskTimeout:
		c.kill(task, Starved, nil)
	}
}

// transform has c carry out the recipe for image, when it comes to it, and returns what it says, with the outputs' data. The
// error is errUntouched or a *death; c has ended then.
func (c *child) transform(
	ctx context.Context, image []byte, text string, variants []recipe.Variant,
) (reply, error) {
	q := request{length: uint64(len(image)), recipe: text}
	release := func() bool { return true }
	defer func() { release() }()
	bind := func() { release = context.AfterFunc(ctx, func() { c.kill(q.task, Cancelled, nil) }) }
	t, bound, err := c.send(&q, image, bind)
	<-t.first
	began := time.Now()
	done := func(err error) {
		if c.store != nil {
			c.store.clear(c.cell(q.task), int64(len(image))) // before the next but one may have the cell
		}
		c.next(err)
	}
	if t.vain {
		done(err)
		return reply{}, errUntouched
	}
	if !bound {
		bind()
	}
	var r reply
	if err == nil {
		r, err = c.receive(q, variants)
	}
	if err != nil {
		c.part(q.task, err)
	}
	release()
	defer func() { done(err) }()
	if err == nil {
		r.began = began
		return r, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if errors.Is(err, errUntouched) && c.cause != Cancelled || c.blamed != 0 && c.blamed != q.task {
		return reply{}, errUntouched
	}
	return reply{}, &death{
		cause: c.cause, fresh: q.task == 1, state: c.cmd.ProcessState,
		report: c.stderr.String(), peak: c.peak, clock: c.clock, broke: c.broke,
	}
}

// send gives q the next turn and sends it; if it is its turn at once it calls begun before. The error is errUntouched if not a
// byte of it reached the child.
func (c *child) send(q *request, image []byte, begun func()) (t *turn, first bool, err error) {
	c.sending.Lock()
	defer c.sending.Unlock()
	c.mu.Lock()
	c.served++
	q.task = c.served
	t = &turn{task: q.task, first: make(chan struct{})}
	c.turns = append(c.turns, t)
	first = len(c.turns) == 1
	c.stderr.turn(first)
	if first {
		c.at(t)
	}
	c.mu.Unlock()
	if first {
		begun()
	}

	if c.store != nil {
		q.offset = uint64(c.store.place(c.cell(q.task), image))
	}
	c.message = q.append(c.message)
	n, err := c.requests.Write(c.message)
	switch {
	case err != nil && n == 0:
		return t, first, errUntouched
	case err == nil && c.out == nil:
		_, err = c.requests.Write(image)
	}
	return t, first, err
}

// cell is the one of the input in which the image of a task lies if it lies nowhere else.
func (c *child) cell(task uint64) int { return c.slot*Turns + int(task%Turns) }

// at notes that c is at t. The caller holds mu.
func (c *child) at(t *turn) {
	c.task, c.peak, c.clock = t.task, 0, startClock(time.Now(), processorTime(c.cmd.Process.Pid))
	close(t.first)
}

// next ends the first turn, which went wrong if err is not nil, and begins the one after it.
func (c *child) next(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	vain := err != nil || c.turns[0].vain
	c.turns = c.turns[1:]
	c.task = 0
	if len(c.turns) > 0 {
		c.turns[0].vain = vain
		c.at(c.turns[0])
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
		errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, errUntouched)
}

// receive reads the answer to q, which has the first turn, and does not believe it.
func (c *child) receive(q request, variants []recipe.Variant) (reply, error) {
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
		if err := c.collect(q.task, r, variants); err != nil {
			return reply{}, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.in.Buffered(); n > 0 && len(c.turns) == 1 { // else it may be the next answer
		return reply{}, fmt.Errorf("%d bytes after the end of its answer", n)
	}
	return r, nil
}

// collect fills in what r's outputs lack: their names, which the child is not asked for, and their data. The data is
// copied out before anybody looks at it, for the child can still write to where it lies.
func (c *child) collect(task uint64, r reply, variants []recipe.Variant) error {
	outputs := r.result.Outputs
	if len(outputs) != len(variants) {
		return fmt.Errorf("%d outputs of %d variants", len(outputs), len(variants))
	}
	var data []byte
	if c.out != nil {
		at := outputAt(task, len(c.out.mem))
		data = bytes.Clone(c.out.mem[at : at+r.total])
		c.out.trim(at+keep, at+r.total)
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
