package isolate

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// ErrStarved is the farm's fault: for ten times TaskTimeout the machine kept a child from using up its time.
var ErrStarved = errors.New("isolate: this machine is too busy, or froze the transform's process")

// Cause says why a child ended.
type Cause string

// The causes. The first five may cost an image; the others never do.
const (
	Timeout   Cause = "timeout"   // its transform used up TaskTimeout
	Memory    Cause = "memory"    // it outgrew TaskMemory
	Crashed   Cause = "crashed"   // it ended by itself: a panic, a fault, an exit
	Nonsense  Cause = "nonsense"  // it broke the protocol
	Killed    Cause = "killed"    // another process killed it
	Starved   Cause = "starved"   // the machine kept it from using up TaskTimeout for ten times as long
	Cancelled Cause = "cancelled" // the context of its transform ended
	Start     Cause = "start"     // it did not start, or was not ready within StartTimeout
	Replaced  Cause = "replaced"  // it was replaced by a fresh child
	Stopped   Cause = "stopped"   // the Engine stopped
)

// Causes lists every cause.
func Causes() []Cause {
	return []Cause{Timeout, Memory, Crashed, Nonsense, Killed, Starved, Cancelled, Start, Replaced, Stopped}
}

// death says that the child of a transform ended. Engine.Transform turns it into a verdict.
type death struct {
	cause  Cause
	fresh  bool             // the task was the child's first
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

// proven reports whether one death convicts the image: the child ended by its own doing, and no earlier task can be the
// reason.
func (d *death) proven() bool {
	return d.cause == Timeout || d.fresh && d.cause != Killed
}

// rejection returns the verdict on the image, given its limits.
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

// causeOf returns why a child ended that this process did not kill.
func causeOf(state *os.ProcessState) Cause {
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() && ws.Signal() == syscall.SIGKILL {
		return Killed
	}
	return Crashed
}
