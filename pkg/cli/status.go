package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/report"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show the runs, workers and throughput of a running farm",
		Flags: concat([]cli.Flag{
			yes(showing, "json", "print everything as JSON"),
			yes(showing, "watch", "print it every second, until interrupted"),
		}, sinkFlags()),
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Bool("watch") {
				return watchStatus(ctx, c, c.Bool("json"))
			}
			return askSink(ctx, c, func(ctx context.Context, client *sinkclient.Client) error {
				status, err := client.Status(ctx)
				if err != nil {
					return err
				}
				if c.Bool("json") {
					out := json.NewEncoder(stdout())
					out.SetIndent("", "  ")
					return out.Encode(status)
				}
				return printStatus(stdout(), status)
			})
		},
	}
}

// watchStatus prints the status each second: on a cleared terminal, or as JSON lines.
func watchStatus(ctx context.Context, c *cli.Command, asJSON bool) error {
	return dialSink(ctx, c, findSink(ctx, c), func(client *sinkclient.Client) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ctx, _, stop := signals(ctx, slog.New(slog.DiscardHandler), 0, cancel)
		defer stop()
		clearScreen := ""
		if !asJSON && term.IsTerminal(int(os.Stdout.Fd())) {
			clearScreen = "\x1b[H\x1b[2J"
		}
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			asking, done := context.WithTimeout(ctx, c.Duration("timeout"))
			status, err := client.Status(asking)
			done()
			_, _ = io.WriteString(os.Stdout, clearScreen) // as it is
			var printing error
			switch {
			case ctx.Err() != nil:
			case err != nil && asJSON:
				fmt.Fprintf(stderr(), "no answer: %v\n", err)
			case err != nil:
				fmt.Fprintf(stdout(), "no answer: %v\n", err)
			case asJSON:
				printing = json.NewEncoder(stdout()).Encode(status)
			default:
				printing = printStatus(stdout(), status)
			}
			if printing != nil {
				return printing
			}
			select {
			case <-ctx.Done():
				return nil
			case <-ticker.C:
			}
		}
	})
}

// printStatus prints a status for people.
func printStatus(w io.Writer, s *wire.Status) error {
	fmt.Fprintf(
		w,
		"sink %s, up %s, outputs in %s\n",
		printable.Line(s.Version),
		s.Now.Sub(s.Started).Round(time.Second),
		printable.Line(s.Out),
	)
	fmt.Fprintf(
		w,
		"%s settled in the ledger; since the start %s done, %s rejected, %s dead, %s duplicates\n",
		numfmt.Count(
			s.Settled,
		),
		numfmt.Count(s.Done),
		numfmt.Count(s.Rejected),
		numfmt.Count(s.Dead),
		numfmt.Count(s.Duplicates),
	)
	fmt.Fprintf(
		w,
		"%s img/s, %s/s in\n",
		numfmt.Rate(s.Throughput.ImagesPerSecond),
		numfmt.Bytes(s.Throughput.BytesPerSecond),
	)
	if expires := s.CertificateExpires; !expires.IsZero() {
		warning := ""
		if expires.Sub(s.Now) < expiresSoon {
			warning = "SOON: "
		}
		fmt.Fprintf(w, "%sthe sink's certificate expires on %s, in %d days\n",
			warning, expires.Format(time.DateOnly), int(expires.Sub(s.Now).Hours()/24))
	}
	if s.Trouble != "" {
		fmt.Fprintf(w, "TROUBLE: %s\n", printable.Line(s.Trouble))
	}
	for i := range s.Runs {
		printRun(w, &s.Runs[i])
	}
	return printWorkers(w, s)
}

func printRun(w io.Writer, r *wire.Run) {
	balance := balanceOf(r)
	if r.Ended.IsZero() {
		balance = numfmt.Count(r.Unsettled()) + " unsettled"
		balance += fmt.Sprintf("; %s leased to %s", numfmt.Count(r.Leased), numfmt.Counted(r.Peers, "worker"))
	}
	state := printable.Line(string(r.State))
	if r.New > 0 {
		state += fmt.Sprintf(" (%s new)", numfmt.Count(r.New))
	}
	fmt.Fprintf(w, "run %s %s: %s of %s found = %s, %s\n", printable.Line(r.ID), state,
		numfmt.Count(r.Found), numfmt.Count(r.Total), report.Accounts(r), balance)
	if r.Waiting != "" {
		fmt.Fprintf(w, "  %s\n", printable.Line(r.Waiting))
	}
}
