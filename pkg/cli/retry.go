package cli

import (
	"context"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
)

func retryCommand() *cli.Command {
	return &cli.Command{
		Name:  "retry",
		Usage: "make rejected images and dead letters due again, for the next run",
		Description: `   farm retry --out ~/thumbnails --only timeout --only out-of-memory
   farm run ~/Pictures --out ~/thumbnails --task-timeout 5m

An image of which only a variant was refused is due again, too, as a whole.`,
		Flags: concat(selectionFlags(), ledgerFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := selection(c)
			if err != nil {
				return err
			}
			return withLedger(ctx, c, false, func(ctx context.Context, b ledgerAccess) error {
				n, err := b.Retry(ctx, args)
				if partly, ok := partlyDone(args); ok && err == nil {
					var more int
					more, err = b.Retry(ctx, partly)
					n += more
				}
				if err == nil || n > 0 {
					fmt.Fprintf(stdout(), "due again in the next run: %s\n", numfmt.Counted(n, "image"))
				}
				return err
			})
		},
	}
}
