package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"
)

func retryCommand() *cli.Command {
	return &cli.Command{
		Name:  "retry",
		Usage: "make rejected images and dead letters due again, for the next run",
		Description: `   farm retry --out ~/thumbnails --only timeout --only out-of-memory
   farm run ~/Pictures --out ~/thumbnails --task-timeout 5m`,
		Flags: concat(selectionFlags(), ledgerFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := selection(c)
			if err != nil {
				return err
			}
			return withLedger(ctx, c, false, func(ctx context.Context, b ledgerAccess) error {
				n, err := b.Retry(ctx, args)
				if err == nil || n > 0 {
					fmt.Fprintf(stdout(), "%d images are due again; the next run takes them\n", n)
				}
				return err
			})
		},
	}
}
