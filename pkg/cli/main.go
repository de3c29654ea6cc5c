package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/sysmon"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// Program returns the program that a command is called by, so that one file can have four names, as in a small container
// image: the farm when it is no other's name.
func Program(name string) *cli.Command {
	switch strings.TrimSuffix(filepath.Base(name), ".exe") {
	case "ventilator":
		return VentilatorProgram()
	case "worker":
		return WorkerProgram()
	case "sink":
		return SinkProgram()
	}
	return FarmProgram()
}

const completionUsage = "print a script that completes commands and flags: bash, zsh, fish or pwsh"

// gcPercent is for programs that keep little and let megabytes through: at the usual 100 they would collect garbage every
// few images. A GOGC or GOMEMLIMIT in the environment counts as ever.
const gcPercent = 400

// Main runs a program and returns its exit code.
func Main(program *cli.Command, args []string) int {
	sysmon.Deprioritize()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	args, all := wantsAllHelp(args)
	setHelp(program, all)
	program.Version = telemetry.Version()
	program.EnableShellCompletion = true
	program.ConfigureShellCompletionCommand = func(c *cli.Command) { c.Hidden, c.Usage = false, completionUsage }
	program.ExitErrHandler = func(context.Context, *cli.Command, error) {} // codes are given below, in one place
	commands := len(program.Commands) > 0                                  // of its own: completion and help are added to all
	begun, command := false, ""                                            // whether an action began, and of which command
	eachCommandPath(program, "", func(c *cli.Command, path string) {
		if action := c.Action; action != nil {
			c.Action = func(ctx context.Context, c *cli.Command) error {
				begun, command = true, path
				return action(ctx, c)
			}
		}
		c.DisableSliceFlagSeparator = true
		c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
			if c == program && commands && !strings.HasPrefix(args[1], "-") && c.Command(args[1]) == nil {
				return noCommand(c, args[1]) // whose flags nobody can know
			}
			command = path
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
			fmt.Fprintf(os.Stderr, "Try '%s --help'.\n", asCalled(args[0], cmp.Or(command, program.Name)))
		}
	}
	return code
}

func eachCommand(c *cli.Command, do func(*cli.Command)) {
	do(c)
	for _, sub := range c.Commands {
		eachCommand(sub, do)
	}
}
