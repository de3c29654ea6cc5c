package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sysmon"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/urfave/cli/v3"
)

// The exit codes of every program.
const (
	ExitDone       = 0
	ExitFault      = 1
	ExitUsage      = 2
	ExitRejected   = 3 // the run ended; some images were rejected, are dead letters or could not be looked at
	ExitUnbalanced = 4 // found is not done + skipped + rejected + dead
	ExitNoWorkers  = 5 // none came within --wait-workers
	ExitStalled    = 6
	ExitInterrupt  = 130
	ExitTerminate  = 143
)

const exitHelp = `EXIT STATUS:
   0 all done or skipped · 1 fault · 2 usage · 3 some rejected, dead or not to be read · 4 the run does not balance
   5 no worker came · 6 stalled · 130, 143 ended by a signal`

// exitError carries an exit code out of an action; its message has been told already when it is nil.
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

// signalled is the cause of a context that a signal ended.
type signalled struct{ sig os.Signal }

func (s signalled) Error() string { return "ended by " + s.sig.String() }

func (s signalled) code() int {
	if s.sig == syscall.SIGTERM {
		return ExitTerminate
	}
	return ExitInterrupt
}

// Main runs a program and returns its exit code.
func Main(program *cli.Command, args []string) int {
	sysmon.Deprioritize()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	program.Version = telemetry.Version()
	program.EnableShellCompletion = true
	program.ConfigureShellCompletionCommand = func(c *cli.Command) {
		c.Hidden, c.Usage = false, "print what makes a shell complete commands and flags: bash, zsh, fish or pwsh"
	}
	program.DisableSliceFlagSeparator = true
	program.ExitErrHandler = func(context.Context, *cli.Command, error) {} // codes are given below, in one place
	begun, commands := false, len(program.Commands) > 0                    // of its own: completion and help are added to all
	eachCommand(program, func(c *cli.Command) {
		if action := c.Action; action != nil {
			c.Action = func(ctx context.Context, c *cli.Command) error { begun = true; return action(ctx, c) }
		}
		c.DisableSliceFlagSeparator = true
		c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
			if c == program && commands && !strings.HasPrefix(args[1], "-") && c.Command(args[1]) == nil {
				return noCommand(c, args[1]) // whose flags nobody can know
			}
			return &exitError{ExitUsage, plain(c, err)}
		}
	})
	err := program.Run(context.Background(), args)
	if err != nil && !begun { // a flag or variable whose value cannot be read
		err = &exitError{ExitUsage, plain(program, err)}
	}
	code := exitCode(err)
	var exit *exitError
	if err != nil && (!errors.As(err, &exit) || exit.err != nil) {
		fmt.Fprintf(os.Stderr, "%s: %v\n", program.Name, err)
		if code == ExitUsage {
			fmt.Fprintf(os.Stderr, "Try '%s --help'.\n", program.Name)
		}
	}
	return code
}

// gcPercent is for programs that keep next to nothing and let megabytes through: at the usual 100 they would collect every
// few images. A GOGC or GOMEMLIMIT in the environment counts as ever.
const gcPercent = 400

func eachCommand(c *cli.Command, do func(*cli.Command)) {
	do(c)
	for _, sub := range c.Commands {
		eachCommand(sub, do)
	}
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

// runCode is the exit code of a run that ended by itself.
func runCode(r *wire.Run, unreadable int64) int {
	switch {
	case r.Unsettled() != 0:
		return ExitUnbalanced
	case r.Rejected+r.Dead+unreadable > 0:
		return ExitRejected
	}
	return ExitDone
}

// signals calls drain at the first SIGINT or SIGTERM and ends the context, with the signal as its cause, at the second, or
// when the drain takes longer than limit (0: it may). first returns the first signal, nil when none came.
func signals(ctx context.Context, log *slog.Logger, limit time.Duration, drain func()) (_ context.Context, first func() os.Signal, stop func()) {
	ctx, cut := context.WithCancelCause(ctx)
	incoming := make(chan os.Signal, 2)
	got := make(chan os.Signal, 1)
	signal.Notify(incoming, os.Interrupt, syscall.SIGTERM)
	go func() {
		var sig os.Signal
		select {
		case sig = <-incoming:
			got <- sig
			log.Warn("finishing what is under way; once more to leave at once", "signal", sig.String())
			drain()
		case <-ctx.Done():
			return
		}
		var late <-chan time.Time
		if limit > 0 {
			timer := time.NewTimer(limit)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case sig := <-incoming:
			cut(signalled{sig})
		case <-late:
			log.Error("leaving: what is under way does not end", "waited", limit)
			cut(signalled{sig})
		case <-ctx.Done():
		}
	}()
	first = func() os.Signal {
		select {
		case sig := <-got:
			return sig
		default:
			return nil
		}
	}
	return ctx, first, func() { signal.Stop(incoming); cut(nil) }
}

// loggerOf returns the logger that the flags ask for; usual is its level when they ask for none.
func loggerOf(c *cli.Command, w io.Writer, usual string) (*slog.Logger, error) {
	level := c.String("log-level")
	if level == "" {
		level = usual
	}
	log, err := telemetry.NewLogger(telemetry.LogConfig{
		Format: c.String("log-format"), Level: level, Quiet: c.Bool("quiet"), Writer: w,
	})
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	return log, nil
}
