package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/numfmt"
)

func compactCommand() *cli.Command {
	return &cli.Command{
		Name:  "compact",
		Usage: "shrink a ledger that no sink has open",
		Description: `The ledger reuses the space of entries that later runs replaced, but its file
does not shrink by itself.

   farm compact --out ~/thumbnails`,
		Flags: ledgerFlags(),
		Action: func(_ context.Context, c *cli.Command) error {
			path := ledgerPathOf(c)
			if _, err := os.Stat(path); err != nil {
				return usagef("no ledger at %s: say where with --out or --ledger", path)
			}
			before, after, err := ledger.Compact(path, ledger.Config{LockTimeout: 100 * time.Millisecond})
			if errors.Is(err, ledger.ErrInUse) {
				return fmt.Errorf("%w; stop the sink first", err)
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout(), "%s: %s bytes, %s before\n", path, numfmt.Count(after), numfmt.Count(before))
			return nil
		},
	}
}
