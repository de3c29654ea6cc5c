package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
)

// sinkFlags name the sink, or the ledger whose sink, an operator's command asks.
func sinkFlags() []cli.Flag {
	return concat([]cli.Flag{
		outFlag(whereToGo, "`DIR` of the outputs with the ledger in it, s3://… or tar:…"),
		text(whereToGo, "ledger", "", "`FILE` of the ledger, when it is elsewhere"),
		text(whereToGo, "sink", loopback, "`HOST` of the sink"),
		text(whereToGo, "control", "", "control `ENDPOINT` of the sink (default: port 5555 of --sink)"),
		duration(whereToGo, "timeout", 5*time.Second, from(time.Millisecond), "longest wait for an answer"),
	}, tlsFlags(), commonFlags("warn", ""))
}

// askSink calls ask with a client of the sink that findSink finds, within --timeout.
func askSink(ctx context.Context, c *cli.Command, ask func(context.Context, *sinkclient.Client) error) error {
	return dialSink(ctx, c, findSink(ctx, c), func(client *sinkclient.Client) error {
		ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
		defer cancel()
		return ask(ctx, client)
	})
}

// noRunError says that a command found neither a sink nor a run.
type noRunError struct{ ledger, control string }

func (e *noRunError) Error() string {
	return fmt.Sprintf("no run is going on: no sink has %s open, and none answers at %s; name one with --out or --sink",
		e.ledger, e.control)
}

// dialSink calls use with a client of the sink at that place.
func dialSink(ctx context.Context, c *cli.Command, at sinkAt, use func(*sinkclient.Client) error) error {
	if at.found == sinkNowhere {
		return &noRunError{ledgerPathOf(c), at.control}
	}
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	network, err := networkOf(c, log, pki.Operator, pki.Viewer)
	if err != nil {
		return err
	}
	client, err := sinkclient.Dial(network.Network, at.control)
	if err != nil {
		return usagef("--sink: %v", err)
	}
	return errors.Join(use(client), client.Close())
}
