package cli

import (
	"context"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

func healthCommand() *cli.Command {
	return &cli.Command{
		Name: "health", ArgsUsage: "[URL]",
		Usage: "exit 0 when the URL (default: http://127.0.0.1:8080/readyz) is ready, 1 otherwise",
		Flags: []cli.Flag{
			duration(whereToGo, "timeout", 5*time.Second, from(time.Millisecond), "longest wait for an answer"),
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			url := c.Args().First()
			if url == "" {
				url = "http://127.0.0.1:8080/readyz"
			}
			ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
			defer cancel()
			return telemetry.Health(ctx, url)
		},
	}
}
