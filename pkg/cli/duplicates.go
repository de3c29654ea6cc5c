package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/report"
)

func duplicatesCommand() *cli.Command {
	return &cli.Command{
		Name:  "duplicates",
		Usage: "list the images that are the same by content, or look alike",
		Description: `   farm duplicates --out ~/thumbnails             of runs with --checksum
   farm duplicates --out ~/thumbnails --similar   also of another size or format
   farm duplicates --json | jq '.images[1:][].filename'`,
		Flags: concat([]cli.Flag{
			yes(whatToTake, "similar", "list images that look alike, by their thumbnails"),
			yes(showing, "json", "print JSON lines, one for each group of images"),
		}, ledgerFlags()),
		Action: runDuplicates,
	}
}

func runDuplicates(ctx context.Context, c *cli.Command) error {
	return withLedger(ctx, c, true, func(ctx context.Context, b ledgerAccess) error {
		found, err := report.FindDuplicates(ctx, b, c.Bool("similar"))
		if err != nil {
			return err
		}
		if c.Bool("json") {
			out := json.NewEncoder(stdout())
			for _, g := range found.Groups {
				if err := out.Encode(g); err != nil {
					return err
				}
			}
			return nil
		}
		printDuplicates(found, c.Bool("similar"))
		return nil
	})
}

func printDuplicates(found *report.Duplicates, similar bool) {
	surplus := 0
	for _, g := range found.Groups {
		for i, image := range g.Images {
			mark := "="
			if i == 0 {
				mark = " "
			}
			fmt.Fprintf(stdout(), "%s %s\t%s\t%s\n", mark, printable.Line(image.Filename), numfmt.Bytes(image.Bytes),
				printable.Line(image.Source))
		}
		surplus += len(g.Images) - 1
	}
	what, why := "have the content of another", "their SHA-256 is not known: run with --checksum"
	if similar {
		what, why = "look like another", "it is not known how they look"
	}
	fmt.Fprintf(stdout(), "%s of %s images %s\n", numfmt.Count(surplus), numfmt.Count(found.Images), what)
	if found.Unknown > 0 {
		fmt.Fprintf(stdout(), "%s images were left out: %s\n", numfmt.Count(found.Unknown), why)
	}
}
