package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func runsCommand() *cli.Command {
	return &cli.Command{
		Name:  "runs",
		Usage: "list the runs that the ledger knows, the newest first",
		Description: `   farm runs --out ~/thumbnails
   farm runs --sink farmhost --json`,
		Flags: concat([]cli.Flag{yes(showing, "json", "print JSON lines")}, ledgerFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			return withLedger(ctx, c, true, func(ctx context.Context, b ledgerAccess) error {
				runs, err := b.Runs(ctx)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					return runsAsJSON(runs)
				}
				return runsAsText(runs)
			})
		},
	}
}

func runsAsJSON(runs []wire.Run) error {
	out := json.NewEncoder(stdout())
	for i := range runs {
		if err := out.Encode(&runs[i]); err != nil {
			return err
		}
	}
	return nil
}

func runsAsText(runs []wire.Run) error {
	if len(runs) == 0 {
		fmt.Fprintln(stderr(), "no run yet")
		return nil
	}
	table := tabwriter.NewWriter(stdout(), 0, 8, 2, ' ', 0)
	_, err := fmt.Fprintln(table, "RUN\tSTARTED\tTOOK\tSTATE\tFOUND\tDONE\tSKIPPED\tREJECTED\tDEAD")
	for _, r := range runs {
		took := "–"
		if !r.Ended.IsZero() {
			took = r.Ended.Sub(r.Started).Round(time.Second / 10).String()
		}
		_, lineErr := fmt.Fprintf(
			table,
			"%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\n",
			printable.Line(r.ID),
			r.Started.Local().Format(time.DateTime),
			took,
			printable.Line(string(r.State)),
			r.Found,
			r.Done,
			r.Skipped,
			r.Rejected,
			r.Dead,
		)
		err = errors.Join(err, lineErr)
	}
	return errors.Join(err, table.Flush())
}
