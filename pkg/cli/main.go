package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/sysmon"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// Program returns the program for the name of an executable: ventilator, worker, sink, or farm for any other name. So
// one file can have four names, as in a small container image.
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

// gcPercent suits programs that keep little memory and pass megabytes through: at the default of 100 they would collect
// garbage every few images. firstGCPercent applies until the first collection, for which a heap of 64 MB suffices then.
// That is as much as the later ones need, and most small runs end before. GOGC in the environment replaces both.
const (
	gcPercent      = 400
	firstGCPercent = 1600
)

// tuneGC applies firstGCPercent and, after the first collection, gcPercent.
func tuneGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(firstGCPercent)
	type garbage struct{ _ *int }
	runtime.AddCleanup(new(garbage), func(percent int) { debug.SetGCPercent(percent) }, gcPercent)
}

// Main runs a program and returns its exit code.
func Main(program *cli.Command, args []string) int {
	sysmon.Deprioritize()
	tuneGC()
	args, all := wantsAllHelp(args)
	setHelp(all)
	program.Version = telemetry.Version()
	setCompletion(program)
	program.ExitErrHandler = func(context.Context, *cli.Command, error) {} // Main decides on exit codes below
	commands := len(program.Commands) > 0                                  // before the library adds completion and help
	begun, command := false, ""                                            // whether an action began, and of which command
	eachCommandPath(program, "", func(c *cli.Command, path string) {
		if action := c.Action; action != nil {
			c.Action = func(ctx context.Context, c *cli.Command) error {
				begun, command = true, path
				if err := refuseExtraArguments(c, path); err != nil {
					return err
				}
				noteVariables(c)
				return action(ctx, c)
			}
		}
		c.DisableSliceFlagSeparator = true
		c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
			if c == program && commands && !strings.HasPrefix(args[1], "-") && c.Command(args[1]) == nil {
				return noCommand(c, args[1]) // an unknown command has no flags to complain about
			}
			command = path
			return &exitError{ExitUsage, plain(c, err)}
		}
	})
	program.Commands = wanted(program.Commands, args)
	err := program.Run(context.Background(), args)
	if err != nil && !begun { // a flag or a variable has a wrong value
		if len(args) > 1 && command == "" && args[1] != "help" && program.Command(args[1]) != nil {
			command = program.Name + " " + args[1]
		}
		err = &exitError{ExitUsage, plain(program, err)}
	}
	code := exitCode(err)
	var exit *exitError
	if err != nil && (!errors.As(err, &exit) || exit.err != nil) {
		fmt.Fprintf(stderr(), "%s: %v\n", program.Name, err)
		if code == ExitUsage {
			fmt.Fprintf(stderr(), "Try '%s --help'.\n", asCalled(args[0], cmp.Or(command, program.Name)))
		}
	}
	return code
}

// wanted returns the command that args names, or all commands if one of them may be asked about the others. The library
// prepares every command that it is given, flag by flag, which takes a tenth of the time until a command begins.
func wanted(commands []*cli.Command, args []string) []*cli.Command {
	for i, c := range commands {
		if len(args) > 1 && c.HasName(args[1]) && c.Name != "man" {
			return commands[i : i+1 : i+1] // the library appends to it
		}
	}
	return commands
}

// refuseExtraArguments returns an error if a command has more arguments than its usage names. A usage with … names
// any number. Commands that group others look at their arguments themselves.
func refuseExtraArguments(c *cli.Command, path string) error {
	most := len(strings.Fields(c.ArgsUsage))
	if len(c.Commands) > 0 || strings.Contains(c.ArgsUsage, "…") || c.Args().Len() <= most {
		return nil
	}
	takes := "no arguments"
	if most > 0 {
		takes = c.ArgsUsage
	}
	return usagef("%s takes %s: remove %q", path, takes, c.Args().Get(most))
}

func eachCommand(c *cli.Command, do func(*cli.Command)) {
	do(c)
	for _, sub := range c.Commands {
		eachCommand(sub, do)
	}
}
