package isolate

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Cause says why a child ended.
type Cause string

// The causes. The first five cost an image or may have; the others do not.
const (
	Timeout   Cause = "timeout"   // its transform used up TaskTimeout
	Memory    Cause = "memory"    // it outgrew TaskMemory
	Crashed   Cause = "crashed"   // it ended by itself
	Nonsense  Cause = "nonsense"  // it broke the protocol
	Killed    Cause = "killed"    // someone else killed it
	Starved   Cause = "starved"   // it got too little of a processor to use up TaskTimeout, for very long
	Cancelled Cause = "cancelled" // the caller of a transform did not want to wait any longer
	Start     Cause = "start"     // it was not ready within StartTimeout, or ended before
	Replaced  Cause = "replaced"  // it made room for a fresh one
	Stopped   Cause = "stopped"   // the Engine stopped
)

// Causes returns every cause.
func Causes() []Cause {
	return []Cause{Timeout, Memory, Crashed, Nonsense, Killed, Starved, Cancelled, Start, Replaced, Stopped}
}

// death is the error of a transform whose child ended. Only Engine.Transform sees it.
type death struct {
	cause  Cause
	fresh  bool             // the child had done nothing before
	state  *os.ProcessState // how it ended
	report string           // what it wrote to its standard error during the task
	peak   int64            // private memory when it was last looked at, bytes
	clock  clock            // when it was last looked at
	broke  error            // what was wrong, if cause is Nonsense
}

func (d *death) Error() string {
	if d.cause == Nonsense {
		return fmt.Sprintf("its process broke the protocol: %v", d.broke)
	}
	text := fmt.Sprintf("its process ended (%v)", d.state)
	if said := headline(d.report); said != "" {
		text += ": " + said
	}
	return text
}

// proven reports whether d alone shows that the image did it: the child did it to itself, and nothing that it had
// done before can be the reason.
func (d *death) proven() bool {
	return d.cause == Timeout || d.fresh && d.cause != Killed
}

// rejection says what d means for the image, given what it may take.
func (d *death) rejection(timeout time.Duration, memory int64) *outcome.Rejection {
	switch {
	case d.cause == Timeout:
		return outcome.Reject(outcome.Timeout, "its transform took longer than %v", timeout)
	case d.cause == Memory:
		return outcome.Reject(outcome.OutOfMemory, "its transform took %s, the limit is %s",
			sizeText(d.peak), sizeText(memory))
	case d.cause == Crashed && outOfMemory(d.report):
		return outcome.Reject(outcome.OutOfMemory, "its transform wanted more than %s: %s",
			sizeText(memory), headline(d.report))
	case d.cause == Killed && d.peak > memory/2:
		return outcome.Reject(outcome.OutOfMemory, "its process was killed twice, with %s in use", sizeText(d.peak))
	case d.cause == Killed:
		return outcome.Reject(outcome.Crashed, "its process was killed twice from outside")
	}
	return outcome.Reject(outcome.Crashed, "%v", d)
}

// causeOf tells how a child ended that nobody here has ended.
func causeOf(state *os.ProcessState) Cause {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		return Killed
	}
	return Crashed
}
