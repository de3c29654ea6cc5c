// Package outcome holds the closed vocabulary of the outcomes of tasks and the states of runs.
//
// The wire, the engines, the ledger and the roles share this leaf, so that a word means the same in a message, in a
// metric label, in a flag and in a report.
package outcome

import (
	"fmt"
	"strings"
)

// Outcome says how a delivery or a task ended.
type Outcome string

// The outcomes. Done, Skipped, Rejected and Dead settle a task; Failed does not: the task is delivered again.
const (
	Done     Outcome = "done"     // its outputs are durably where they belong
	Skipped  Outcome = "skipped"  // unchanged since an earlier run settled it as done
	Rejected Outcome = "rejected" // the image's fault; final until an operator retries it
	Failed   Outcome = "failed"   // the farm's fault; redelivered with backoff
	Dead     Outcome = "dead"     // failed on its last allowed delivery; final until an operator retries it
)

// Settled reports whether o is final, so that the task counts in found = done + skipped + rejected + dead.
func (o Outcome) Settled() bool {
	return o == Done || o == Skipped || o == Rejected || o == Dead
}

// Parse returns the outcome that s names.
func Parse(s string) (Outcome, error) {
	switch o := Outcome(s); o {
	case Done, Skipped, Rejected, Failed, Dead:
		return o, nil
	}
	return "", fmt.Errorf("unknown outcome %.40q", s)
}

// Reason says why an image was rejected. The list is closed: adding a reason is a change of the protocol.
type Reason string

// The reasons, in the order in which reports list them.
const (
	NotAnImage      Reason = "not-an-image"      // its first bytes belong to no image format
	Truncated       Reason = "truncated"         // it ends before the picture does
	Corrupt         Reason = "corrupt"           // it is damaged, or its decoder panicked on it
	Unsupported     Reason = "unsupported"       // a format, or a feature of one, that no engine reads
	PreviewTooSmall Reason = "preview-too-small" // the preview in a camera's raw file is smaller than what is asked for
	NoSuchPage      Reason = "no-such-page"      // the recipe asks for a page or frame that the file does not have
	TooManyPixels   Reason = "too-many-pixels"   // width × height beyond --max-pixels, or a side beyond what formats hold
	TooLarge        Reason = "too-large"         // more bytes than --max-message or, of an output, max-bytes allows
	AnimatedTooLong Reason = "animated-too-long" // an animation of more frames than the engine's limit
	Timeout         Reason = "timeout"           // its transform outlived --task-timeout
	OutOfMemory     Reason = "out-of-memory"     // its transform outgrew --task-memory
	Crashed         Reason = "crashed"           // its transform took its process down
	BadName         Reason = "bad-name"          // no message or file system can hold its name, or the name of an output
	Obstructed      Reason = "obstructed"        // something is in the way of an output: a directory, a mount, permissions
	NotFound        Reason = "not-found"         // its server says that there is no such image
	Forbidden       Reason = "forbidden"         // its server does not give it to us
	OptedOut        Reason = "opted-out"         // its server asks that machines leave it alone
)

// Reasons returns every reason, in reporting order.
func Reasons() []Reason {
	return []Reason{
		NotAnImage, Truncated, Corrupt, Unsupported, PreviewTooSmall, NoSuchPage, TooManyPixels,
		TooLarge, AnimatedTooLong, Timeout, OutOfMemory, Crashed, BadName, Obstructed, NotFound, Forbidden, OptedOut,
	}
}

// ParseReason returns the reason that s names, or an error that lists the known ones.
func ParseReason(s string) (Reason, error) {
	all := Reasons()
	names := make([]string, len(all))
	for i, r := range all {
		if string(r) == s {
			return r, nil
		}
		names[i] = string(r)
	}
	return "", fmt.Errorf("unknown reason %.40q (known: %s)", s, strings.Join(names, ", "))
}

// Rejection is the error of an image that no worker can transform. The code that rejects does not know the listeners.
type Rejection struct {
	Reason Reason
	Detail string // a sentence for people, without the file's name; may be empty

	// Variant names the variant that cannot be made of the image, while others may; empty: none can.
	Variant string
}

// Reject returns a Rejection with a formatted detail.
func Reject(reason Reason, format string, args ...any) *Rejection {
	return &Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// RejectVariant returns the Rejection of one variant.
func RejectVariant(variant string, reason Reason, format string, args ...any) *Rejection {
	return &Rejection{Reason: reason, Detail: fmt.Sprintf(format, args...), Variant: variant}
}

// Error implements error.
func (r *Rejection) Error() string {
	if r.Detail == "" {
		return string(r.Reason)
	}
	return string(r.Reason) + ": " + r.Detail
}
