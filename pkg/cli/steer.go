package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
)

// steerCommand is pause, resume or cancel.
func steerCommand(name string, state outcome.RunState, usage string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "[RUN]",
		Flags: sinkFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			return askSink(ctx, c, func(ctx context.Context, client *sinkclient.Client) error {
				if err := client.Steer(ctx, c.Args().First(), state); err != nil {
					return err
				}
				fmt.Printf("%s: %s\n", cmp.Or(c.Args().First(), "every live run"), state)
				return nil
			})
		},
	}
}
