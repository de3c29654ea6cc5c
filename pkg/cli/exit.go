package cli

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// The exit codes of every program.
const (
	ExitDone       = 0
	ExitFault      = 1
	ExitUsage      = 2
	ExitRejected   = 3 // the run ended; some images were rejected, dead, unreadable or done in part
	ExitUnbalanced = 4 // found differs from done + skipped + rejected + dead
	ExitNoWorkers  = 5 // no worker came within --wait-workers
	ExitStalled    = 6
	ExitInterrupt  = 130
	exitPipe       = 141 // of a dry run whose standard output was closed
	ExitTerminate  = 143
)

// exitHelp lists the exit codes of a command that does a run.
const exitHelp = exitMark + `   0         every image is done or skipped
   1         a fault
   2         wrong usage, or no image in the inputs
   3         the run ended; some images were rejected, dead, unreadable or done
             in part
   4         the run does not balance: an image is unaccounted for
   5         no worker came within --wait-workers
   6         stalled: nothing was settled within --stall-timeout
   130, 143  ended by SIGINT or SIGTERM`

// plainExitHelp lists the exit codes of all other commands.
const plainExitHelp = `   0  success
   1  a fault
   2  wrong usage`

// exitError carries an exit code out of an action. A nil err means that the user has been told why.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func usagef(format string, args ...any) error {
	return &exitError{ExitUsage, fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var exit *exitError
	var usage *ventilator.UsageError
	var sig signalled
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &sig):
		return sig.code()
	case errors.Is(err, ventilator.ErrNoWorkers):
		return ExitNoWorkers
	case errors.Is(err, ventilator.ErrStalled):
		return ExitStalled
	}
	return ExitFault
}

// failOn says which rejections, dead letters and unreadable files end a run with ExitRejected.
type failOn string

const (
	failOnAny  failOn = "any"  // those that no operator has acknowledged
	failOnNew  failOn = "new"  // those of this run
	failOnNone failOn = "none" // none
)

func failOnFlag() cli.Flag {
	return text(whatToTake, "fail-on", string(failOnAny), "rejections that end a run with status 3: new, any or none")
}

func failOnOf(c *cli.Command) (failOn, error) {
	switch which := failOn(c.String("fail-on")); which {
	case failOnAny, failOnNew, failOnNone:
		return which, nil
	default:
		return "", usagef("--fail-on %q: it is new, any or none", string(which))
	}
}

// count returns how many images of r are a reason for ExitRejected.
func (f failOn) count(r *wire.Run, unreadable int64) int64 {
	switch f {
	case failOnNone:
		return 0
	case failOnNew:
		return r.Rejected + r.Dead - (r.Earlier - r.Skipped) + unreadable + r.Partly
	}
	return r.Rejected + r.Dead - r.Acknowledged + unreadable + r.Partly
}

// runCode returns the exit code of a run that was not interrupted.
func runCode(r *wire.Run, unreadable int64, which failOn) int {
	switch {
	case r.Unaccounted() != 0:
		return ExitUnbalanced
	case which.count(r, unreadable) > 0:
		return ExitRejected
	}
	return ExitDone
}
