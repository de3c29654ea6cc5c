package cli

import (
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// FarmProgram is the command line of the farm: all roles in one process, and the operator's tool.
func FarmProgram() *cli.Command {
	return &cli.Command{
		Name:  "farm",
		Usage: "process images in one process, and operate a farm of many",
		Description: `   farm run ~/Pictures --out ~/thumbnails     do a run, with nothing to set up
   farm status                                show the farm on this machine

` + exitHelp,
		Commands: []*cli.Command{
			runCommand(), benchCommand(), statusCommand(), workersCommand(), eventsCommand(),
			steerCommand("pause", outcome.Paused, "pause a run: hand out no more images until resume"),
			steerCommand("resume", outcome.Running, "resume a paused run"),
			steerCommand("cancel", outcome.Cancelled, "cancel a run: settle what workers hold, then end it"),
			runsCommand(), rejectsCommand(), retryCommand(), backupCommand(), compactCommand(), pruneCommand(),
			verifyCommand(), reportCommand(), duplicatesCommand(),
			codecsCommand(), doctorCommand(), healthCommand(), tlsCommand(), tokenCommand(), tunnelCommand(),
			manCommand(), asOwnerCommand(),
		},
		Action: showGroup,
	}
}
