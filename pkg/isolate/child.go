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
	// partingGrace is how long a child may take to exit after it closed its pipe or was asked to exit.
	partingGrace = 2 * time.Second

	// stderrGrace is how long a process that a dead child left behind may keep the child's standard error open.
	stderrGrace = time.Second
)

// errUntouched says that the child ended before it saw any of the request: another child can take it.
var errUntouched = errors.New("the child ended before it began")

// child is the parent's side of a child process.
type child struct {
	slot     int
	store    *store  // nil without shared memory
	out      *region // where the slot's outputs lie; nil without shared memory
	limit    int64   // bytes of all outputs of a task together
	cmd      *exec.Cmd
	requests *os.File
	replies  *os.File
	in       *bufio.Reader
	stderr   recentStderr
	gauge    *gauge

	libraries Libraries     // that it has loaded; set before it is ready
	dead      chan struct{} // closed when the process has ended and was waited for
	buf       []byte        // the last message; owned by the task that has the first turn

	sending sync.Mutex // held while a request is written: requests keep the order of their turns
	message []byte     // the last request

	mu     sync.Mutex
	served uint64      // tasks sent to the child since it started
	turns  []*turn     // tasks sent and not answered, the one at work first
	task   uint64      // the task at work; 0 while idle
	cause  Cause       // why the child is to end, or has ended; empty: neither
	blamed uint64      // the task for which the child was killed; 0: none
	broke  error       // with Nonsense: how the child broke the protocol
	late   *time.Timer // kills a child that was asked to exit and does not
	gone   bool        // another process may have its process number now
	peak   int64       // largest private memory seen during the task at work, bytes
	clock  clock       // of the task at work
}

// turn is a task's place in the queue of a child. The next task is queued in the child before it has finished the
// first, so that it need not wait until its parent gets a processor, reads the answer and writes the next request.
type turn struct {
	task         uint64
	first        chan struct{} // closed when the turn begins, or when it never will
	neverStarted bool          // the child died during the previous task; set before first is closed
}

// fresh reports whether the child has been sent no task yet.
func (c *child) fresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.served == 0
}

// usable reports whether the child can take another task: it has not ended and is not about to.
func (c *child) usable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause == ""
}

// kill kills the child if it still works on the given task; with anyTask, whichever task it works on. Only the first
// cause is kept.
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

// retire asks an idle child to exit, by closing its requests, and kills it if it does not within partingGrace.
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

// reap waits until the process has ended, kills what it left behind and closes its pipes.
func (c *child) reap() {
	if awaitExit(c.cmd.Process) {
		c.mu.Lock()
		killAll(c.cmd.Process) // also processes that it started and left
		c.gone = true
		c.mu.Unlock()
	}
	_ = c.cmd.Wait() // ProcessState says how it ended
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
	// Its last answer may still have to be read; a process that it left behind may keep the pipe open.
	_ = c.replies.SetReadDeadline(time.Now().Add(partingGrace))
	c.gauge.close()
	close(c.dead)
}

// enforceLimits measures what the child has used for its task, and kills it beyond TaskMemory or TaskTimeout.
func (c *child) enforceLimits(cfg *Config) {
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
	case now.looked.Sub(now.began)/starvedFactor >= cfg.TaskTimeout:
		c.kill(task, Starved, nil)
	}
}

// transform sends the child a task, waits for its turn and for the answer, and returns that with the outputs' data. The
// error is errUntouched or a *death; the child has ended then.
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
			c.store.clear(c.cell(q.task), int64(len(image))) // before the next task but one gets the cell
		}
		c.endTurn(err)
	}
	if t.neverStarted {
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
		c.awaitDeath(q.task, err)
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

// send gives q the next turn and writes it to the child. If the turn begins at once, which first reports, send calls
// begun before it writes. The error is errUntouched if no byte of the request reached the child.
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
		c.beginTurn(t)
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

// cell returns the cell of the shared input that takes a task's image when the image is in no Buffer.
func (c *child) cell(task uint64) int { return c.slot*Turns + int(task%Turns) }

// beginTurn notes that the child works on t now. The caller holds mu.
func (c *child) beginTurn(t *turn) {
	c.task, c.peak, c.clock = t.task, 0, startClock(time.Now(), processorTime(c.cmd.Process.Pid))
	close(t.first)
}

// endTurn ends the first turn and begins the next. An error says that the child has ended: the next never starts.
func (c *child) endTurn(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	failed := err != nil || c.turns[0].neverStarted
	c.turns = c.turns[1:]
	c.task = 0
	if len(c.turns) > 0 {
		c.turns[0].neverStarted = failed
		c.beginTurn(c.turns[0])
	}
}

// awaitDeath waits until the child has ended after reading from it or writing to it failed with err, and kills it if it
// does not exit by itself.
func (c *child) awaitDeath(task uint64, err error) {
	if isEnd(err) {
		// The child is exiting, or has only closed its pipe.
		late := time.NewTimer(partingGrace)
		defer late.Stop()
		select {
		case <-c.dead:
			return
		case <-late.C:
			err = errors.New("it closed its pipe but did not exit")
		}
	}
	c.kill(task, Nonsense, err)
	<-c.dead
}

// isEnd reports whether err says that a pipe ended, not that a message in it was wrong.
func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, os.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, errUntouched)
}

// receive reads and checks the answer to q, which has the first turn. The child may be broken, or controlled by an
// attacker.
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
	if n := c.in.Buffered(); n > 0 && len(c.turns) == 1 { // otherwise they may begin the next answer
		return reply{}, fmt.Errorf("%d bytes after the end of its answer", n)
	}
	return r, nil
}

// collect adds to the outputs of r their variants' names, which the parent knows, and their data. It copies the data
// before anything reads it, because the child can still write to the shared memory.
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
