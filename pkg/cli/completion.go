package cli

import (
	"context"
	"strings"

	"github.com/urfave/cli/v3"
)

const completionUsage = "print a script that completes commands and flags: bash, zsh, fish or pwsh"

// setCompletion adds the command that prints completion scripts.
func setCompletion(program *cli.Command) {
	program.EnableShellCompletion = true
	program.ConfigureShellCompletionCommand = func(c *cli.Command) {
		c.Hidden, c.Usage = false, completionUsage
		if fish := c.Command("fish"); fish != nil {
			fish.Action = completeFiles(fish.Action)
		}
	}
	// Commands without subcommands get no command "help": shells would complete it where a file is meant.
	eachCommand(program, func(c *cli.Command) {
		c.HideHelpCommand = c != program && len(c.Commands) == 0
	})
}

// completeFiles changes the library's script for fish, which suppresses completion of files: most arguments are files.
func completeFiles(script cli.ActionFunc) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		root := c.Root()
		out := root.Writer
		var text strings.Builder
		root.Writer = &text
		err := script(ctx, c)
		root.Writer = out
		if err != nil {
			return err
		}
		_, err = out.Write([]byte(strings.ReplaceAll(text.String(), " -f -a ", " -a ")))
		return err
	}
}
