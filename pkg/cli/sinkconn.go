package cli

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// sinkFlags say which sink an operator's command talks to.
func sinkFlags() []cli.Flag {
	return concat([]cli.Flag{
		text(whereToGo, "sink", loopback, "`HOST` of the sink"),
		text(whereToGo, "control", "", "control `ENDPOINT` of the sink (default: port 5555 of --sink)"),
		duration(whereToGo, "timeout", 5*time.Second, from(time.Millisecond), "longest wait for an answer"),
	}, commonFlags("warn", ""))
}

// askSink calls the sink that the flags name, within --timeout.
func askSink(ctx context.Context, c *cli.Command, ask func(context.Context, *sinkclient.Client) error) error {
	return dialSink(c, func(client *sinkclient.Client) error {
		ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
		defer cancel()
		return ask(ctx, client)
	})
}

func dialSink(c *cli.Command, use func(*sinkclient.Client) error) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	client, err := sinkclient.Dial(zsock.Network{Logger: log}, either(c, "control", "sink", controlPort))
	if err != nil {
		return usagef("--sink: %v", err)
	}
	return errors.Join(use(client), client.Close())
}
