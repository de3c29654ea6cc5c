package cli

import (
	"context"
	"crypto/tls"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

func healthCommand() *cli.Command {
	return &cli.Command{
		Name: "health", ArgsUsage: "[URL]",
		Usage:       "exit 0 when the URL (default: a sink's) is ready, 1 otherwise",
		Description: "The default URL is of a sink on this machine: http://127.0.0.1:8080/readyz.",
		Flags: []cli.Flag{
			duration(whereToGo, "timeout", 5*time.Second, from(time.Millisecond), "longest wait for an answer"),
			text(whereToGo, "tls", "", "`FILE` made by farm tls issue: an https URL must be of its farm"),
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			url := c.Args().First()
			if url == "" {
				url = "http://127.0.0.1:8080/readyz"
			}
			var secure *tls.Config
			if bundle := c.String("tls"); bundle != "" {
				credentials, err := pki.Open(pki.Config{Bundle: bundle})
				if err != nil {
					return usagef("--tls: %v", err)
				}
				secure = credentials.TLS()
			}
			ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
			defer cancel()
			return telemetry.Health(ctx, url, secure)
		},
	}
}
