package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func rejectsCommand() *cli.Command {
	return &cli.Command{
		Name:  "rejects",
		Usage: "list the rejected images and the dead letters, with the reasons",
		Description: `   farm rejects --out ~/thumbnails
   farm rejects --only truncated --only corrupt --csv > damaged.csv
   farm rejects --ack                   these no longer end runs with status 3

Images of which only a variant was refused are listed, too: one line for each
such variant. Their outcome is done.`,
		Flags: concat([]cli.Flag{
			yes(showing, "json", "print JSON lines"),
			yes(showing, "csv", "print comma-separated values with a header"),
			yes(whatToTake, "ack", "acknowledge them: they are no reason for status 3 any more"),
		}, selectionFlags(), ledgerFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := selection(c)
			if err != nil {
				return err
			}
			return withLedger(ctx, c, !c.Bool("ack"), func(ctx context.Context, b ledgerAccess) error {
				if c.Bool("ack") {
					n, err := b.Acknowledge(ctx, args)
					if err == nil || n > 0 {
						fmt.Fprintf(stdout(), "%d acknowledged\n", n)
					}
					return err
				}
				switch {
				case c.Bool("json"):
					out := json.NewEncoder(stdout())
					return eachReject(ctx, b, args, func(r *wire.Receipt) error { return out.Encode(r) })
				case c.Bool("csv"):
					return rejectsAsCSV(ctx, b, args)
				}
				return rejectsAsText(ctx, b, args)
			})
		},
	}
}

// eachReject calls visit with the rejected and dead images that args select, then with those done only in part.
func eachReject(
	ctx context.Context, b ledgerAccess, args wire.EntriesArgs, visit func(*wire.Receipt) error,
) error {
	err := report.EachEntry(ctx, b, args, visit)
	if partly, ok := partlyDone(args); ok && err == nil {
		err = report.EachEntry(ctx, b, partly, visit)
	}
	return err
}

// refusalsOf returns what args select of a receipt: itself when the image was refused, else its refused variants.
func refusalsOf(r *wire.Receipt, args *wire.EntriesArgs) []wire.RefusedVariant {
	if r.Outcome != outcome.Done {
		return []wire.RefusedVariant{{Reason: r.Reason, Detail: r.Detail}}
	}
	return slices.DeleteFunc(slices.Clone(r.Refused), func(v wire.RefusedVariant) bool {
		return len(args.Reasons) > 0 && !slices.Contains(args.Reasons, v.Reason)
	})
}

func rejectsAsCSV(ctx context.Context, b ledgerAccess, args wire.EntriesArgs) error {
	out := csv.NewWriter(stdout())
	if err := out.Write([]string{
		"filename", "outcome", "reason", "detail", "deliveries", "bytes", "run", "worker", "at", "variant",
	}); err != nil {
		return err
	}
	err := eachReject(ctx, b, args, func(r *wire.Receipt) error {
		for _, v := range refusalsOf(r, &args) {
			err := out.Write([]string{
				printable.Cell(r.Filename),
				printable.Cell(string(r.Outcome)),
				printable.Cell(string(v.Reason)),
				printable.Cell(v.Detail),
				strconv.Itoa(r.Delivery),
				strconv.FormatInt(r.Bytes, 10),
				printable.Cell(r.Run),
				printable.Cell(r.Worker),
				r.At.UTC().Format(time.RFC3339),
				printable.Cell(v.Variant),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	out.Flush()
	return errors.Join(err, out.Error())
}

func rejectsAsText(ctx context.Context, b ledgerAccess, args wire.EntriesArgs) error {
	out := bufio.NewWriter(stdout())
	n := 0
	err := eachReject(ctx, b, args, func(r *wire.Receipt) error {
		for _, v := range refusalsOf(r, &args) {
			n++
			why, detail := string(v.Reason), v.Detail
			switch r.Outcome {
			case outcome.Dead:
				why = "dead"
			case outcome.Done:
				detail = fmt.Sprintf("only the variant %s: %s", v.Variant, v.Detail)
			}
			if err := rejectLine(out, why, r.Filename, detail); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && n == 0 {
		fmt.Fprintln(stderr(), "nothing was rejected")
	}
	return errors.Join(err, out.Flush())
}

// rejectLine prints a line whose columns are aligned. A name that is longer than its column moves the rest of its own
// line only.
func rejectLine(w io.Writer, why, name, detail string) error {
	_, err := fmt.Fprintf(w, "%-17s  %-40s  %s\n", printable.Line(why), printable.Line(name), printable.Line(detail))
	return err
}
