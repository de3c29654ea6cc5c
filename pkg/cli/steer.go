package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
			run, confirmed := c.Args().First(), false
			err := askSink(ctx, c, func(ctx context.Context, client *sinkclient.Client) (err error) {
				if err = steer(ctx, client, run, state); err == nil {
					confirmed, err = awaitSteered(ctx, client, run, state)
				}
				return err
			})
			var nowhere *noRunError
			if errors.As(err, &nowhere) || errors.Is(err, errNoRun) {
				return fmt.Errorf("nothing to %s: %w", name, err)
			}
			if err != nil {
				return err
			}
			note := ""
			if !confirmed {
				note = "; its ventilator has not confirmed it yet"
			}
			fmt.Fprintf(stdout(), "%s: %s%s\n", cmp.Or(run, "every live run"), state, note)
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

// How long a command waits for ventilators to confirm a state, and how often it asks.
const (
	confirmWithin = 3 * time.Second
	confirmPeriod = 20 * time.Millisecond
)

// awaitSteered waits until the sink shows that the ventilator of a run, or of every live run when run is empty, has
// taken up the state. It reports false if that takes too long.
func awaitSteered(
	ctx context.Context, client *sinkclient.Client, run string, state outcome.RunState,
) (confirmed bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, confirmWithin)
	defer cancel()
	again := time.NewTicker(confirmPeriod)
	defer again.Stop()
	for {
		status, err := client.Status(ctx)
		switch {
		case ctx.Err() != nil:
			return false, nil
		case err != nil:
			return false, err
		case !slices.ContainsFunc(status.Runs, func(r wire.Run) bool {
			return (run == "" || r.ID == run) && !tookUp(&r, state)
		}):
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-again.C:
		}
	}
}

// tookUp reports whether a run is in the state that an operator asked for, or has ended.
func tookUp(r *wire.Run, state outcome.RunState) bool {
	switch {
	case !r.Ended.IsZero():
		return true
	case state == outcome.Cancelled:
		return r.State == outcome.Draining
	}
	return (r.State == outcome.Paused) == (state == outcome.Paused)
}

func liveRuns(s *wire.Status) (n int) {
	for i := range s.Runs {
		if s.Runs[i].Ended.IsZero() {
			n++
		}
	}
	return n
}
