package cli

import (
	"context"

	"github.com/urfave/cli/v3"
)

// FarmProgram is the command line of the farm: all roles in one process, and the operator's tool.
func FarmProgram() *cli.Command {
	return &cli.Command{
		Name:  "farm",
		Usage: "process images with everything in one process, and look after a farm of many",
		Description: `   farm run ~/Pictures --out ~/thumbnails     nothing else is needed
   farm status                                  what does the farm on this machine do?

` + exitHelp,
		Commands: []*cli.Command{
			runCommand(), benchCommand(), statusCommand(), workersCommand(), eventsCommand(),
			steerCommand("pause", "paused", "hand out nothing more until resume"),
			steerCommand("resume", "running", "go on after pause"),
			steerCommand("cancel", "cancelled", "end the run when what workers hold is settled"),
			runsCommand(), rejectsCommand(), retryCommand(), verifyCommand(), reportCommand(), healthCommand(), manCommand(), asOwnerCommand(),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			name := c.Args().First()
			if name == "" {
				return cli.ShowRootCommandHelp(c)
			}
			return noCommand(c, name)
		},
	}
}
