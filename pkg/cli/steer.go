package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// steerCommand is pause, resume or cancel.
func steerCommand(name string, state outcome.RunState, usage string) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "[RUN]",
		Flags: sinkFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			run := c.Args().First()
			err := askSink(ctx, c, func(ctx context.Context, client *sinkclient.Client) error {
				return steer(ctx, client, run, state)
			})
			var nowhere *noRunError
			if errors.As(err, &nowhere) || errors.Is(err, errNoRun) {
				return fmt.Errorf("nothing to %s: %w", name, err)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout(), "%s: %s\n", cmp.Or(run, "every live run"), state)
			return nil
		},
	}
}

// errNoRun says that a sink has no live run.
var errNoRun = errors.New("no run is going on")

// steer changes the state of a run, or of all live runs when run is empty.
func steer(ctx context.Context, client *sinkclient.Client, run string, state outcome.RunState) error {
	err := client.Steer(ctx, run, state)
	var refused *sinkclient.RefusedError
	if !errors.As(err, &refused) {
		return err
	}
	status, statusErr := client.Status(ctx)
	switch {
	case statusErr != nil:
		return err
	case liveRuns(status) == 0:
		return errNoRun
	case run != "":
		return fmt.Errorf("no run %s is going on; farm status lists those that are", run)
	}
	return err
}

func liveRuns(s *wire.Status) (n int) {
	for i := range s.Runs {
		if s.Runs[i].Ended.IsZero() {
			n++
		}
	}
	return n
}
