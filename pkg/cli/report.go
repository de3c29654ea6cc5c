package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/urfave/cli/v3"

	pages "github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func reportCommand() *cli.Command {
	return &cli.Command{
		Name:  "report",
		Usage: "report on all images or a run: outcomes, speed, slowest images",
		Description: `   farm report --out ~/thumbnails
   farm report --out ~/thumbnails --html report.html --photos ~/Pictures
   farm report --run 20260102-150405-abcd --csv > images.csv
   farm report --parquet images.parquet
   farm report --json | jq .summary`,
		Flags: concat([]cli.Flag{
			text(whatToTake, "run", "", "report only on the run of that `NAME`"),
			yes(showing, "json", "print one JSON object: run, images, summary"),
			yes(showing, "csv", "print comma-separated values, a line for each image"),
			text(showing, "parquet", "", "write a row for each image and variant to `FILE`; - is standard output"),
			text(showing, "html", "", "write a self-contained page to `FILE`; - is standard output"),
			text(showing, "photos", "", "`DIR` of the originals, to show some of them on the page"),
			number(limits, "slots", 1, from(0).to(maxSlots), "pictures shrunk at the same time"),
			bytes(limits, "max-message", "64MiB", from[int64](1).to(maxMessage), "largest picture that is shown"),
		}, engineFlags(), ledgerFlags()),
		Action: runReport,
	}
}

func runReport(ctx context.Context, c *cli.Command) error {
	forms := 0
	for _, flag := range []string{"json", "csv", "html", "parquet"} {
		if c.IsSet(flag) && c.String(flag) != "false" {
			forms++
		}
	}
	if forms > 1 {
		return usagef("choose one of --json, --csv, --parquet and --html")
	}
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	err = withLedger(ctx, c, true, func(ctx context.Context, b ledgerAccess) error {
		from := withLiveRuns(b)
		run := c.String("run")
		switch {
		case c.Bool("json"):
			return pages.WriteJSON(ctx, stdout(), from, run)
		case c.Bool("csv"):
			return pages.WriteCSV(ctx, stdout(), from, run)
		case c.String("parquet") != "":
			return toFile("parquet", c.String("parquet"), func(w io.Writer) error {
				return pages.WriteParquet(ctx, w, from, run)
			})
		case c.String("html") != "":
			return reportPage(ctx, c, b, log)
		}
		r, err := pages.Read(ctx, from, run)
		if err != nil {
			return err
		}
		return r.WriteText(stdout())
	})
	var unknown *pages.UnknownRunError
	if errors.As(err, &unknown) {
		return usagef("%v", err)
	}
	return err
}

// withLiveRuns returns b, with the current counts of a running sink's live runs.
func withLiveRuns(b ledgerAccess) wire.LedgerReader {
	client, running := b.(*sinkclient.Client)
	if !running {
		return b
	}
	return pages.WithLive(b, func(ctx context.Context) ([]wire.Run, error) {
		status, err := client.Status(ctx)
		if err != nil {
			return nil, err
		}
		return status.Runs, nil
	})
}
