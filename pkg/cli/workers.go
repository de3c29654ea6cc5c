package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func workersCommand() *cli.Command {
	return &cli.Command{
		Name:  "workers",
		Usage: "list the workers that the sink has heard of",
		Flags: concat([]cli.Flag{yes(showing, "json", "print JSON lines")}, sinkFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			return askSink(ctx, c, func(ctx context.Context, client *sinkclient.Client) error {
				status, err := client.Status(ctx)
				if err != nil {
					return err
				}
				if !c.Bool("json") {
					return printWorkers(stdout(), status)
				}
				out := json.NewEncoder(stdout())
				for _, w := range status.Workers {
					if err := out.Encode(w); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func printWorkers(w io.Writer, s *wire.Status) error {
	if len(s.Workers) == 0 {
		fmt.Fprintln(w, "no workers")
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "WORKER\tSLOTS BUSY\tIMG/S\tIMAGES\tIDLE\tLAST SEEN")
	for _, m := range s.Workers {
		idle, seen := "–", s.Now.Sub(m.LastSeen).Round(time.Second).String()+" ago"
		if m.UpUS > 0 && m.Slots > 0 {
			idle = numfmt.Percent(float64(m.IdleUS) / float64(m.UpUS) / float64(m.Slots))
		}
		if m.Left() {
			seen += ", left"
		} else if m.Lost {
			seen += ", lost"
		} else if m.Draining {
			seen += ", draining"
		}
		fmt.Fprintf(table, "%s\t%d/%d\t%s\t%s\t%s\t%s\n", printable.Line(m.Worker), m.Busy, m.Slots,
			numfmt.Rate(m.ImagesPerSecond), numfmt.Count(m.Images), idle, seen)
	}
	return table.Flush()
}
