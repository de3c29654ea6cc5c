package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// ledgerAccess reads and changes a ledger: through a running sink, or in its file.
type ledgerAccess interface {
	wire.LedgerReader
	Retry(context.Context, wire.EntriesArgs) (int, error)
	Acknowledge(context.Context, wire.EntriesArgs) (int, error)
	Backup(ctx context.Context, path string) (size int64, err error)
	Owners(ctx context.Context, outputs []string) ([]wire.Owner, error)
}

var (
	_ ledgerAccess = (*sinkclient.Client)(nil)
	_ ledgerAccess = sink.Reader{}
)

// ledgerFlags name the ledger of an operator's command.
func ledgerFlags() []cli.Flag { return sinkFlags() }

// withLedger calls use with the ledger that the flags name, and says which it is. It asks the sink that is named, the
// sink that has the ledger open, or a sink nearby when no ledger is named. Otherwise it opens the file.
func withLedger(
	ctx context.Context, c *cli.Command, readOnly bool, use func(context.Context, ledgerAccess) error,
) error {
	at, path := findSink(ctx, c), ledgerPathOf(c)
	_, noFile := os.Stat(path)
	nearby := at.found == sinkNearby && !c.IsSet("out") && !c.IsSet("ledger") && sinkAnswers(ctx, c, at)
	if at.found == sinkNamed || at.found == sinkOfLedger || nearby {
		notice(c, "asking the sink at %s", at.control)
		return useSinkLedger(ctx, c, at, use)
	}
	if path == "" {
		return usagef("--out is a bucket, and a ledger is a local file: " +
			"name it with --ledger, or ask a running sink with --sink")
	}
	if noFile != nil {
		return usagef("no ledger at %s: say where with --out or --ledger, or ask a running sink with --sink", path)
	}
	file, err := ledger.Open(path, ledger.Config{ReadOnly: readOnly, LockTimeout: 100 * time.Millisecond})
	if errors.Is(err, ledger.ErrInUse) {
		if !sinkHas(ctx, c, at, path) {
			return fmt.Errorf("%w; by a sink that is not at %s: name it with --sink, or wait", err, at.control)
		}
		notice(c, "%s is in use; asking the sink at %s", path, at.control)
		return useSinkLedger(ctx, c, at, use)
	}
	if err != nil {
		return err
	}
	notice(c, "reading %s", path)
	return errors.Join(use(ctx, sink.Reader{Ledger: file}), file.Close())
}

// sinkAnswers reports whether a sink answers there.
func sinkAnswers(ctx context.Context, c *cli.Command, at sinkAt) bool {
	return dialSink(ctx, c, at, func(client *sinkclient.Client) error {
		ctx, cancel := context.WithTimeout(ctx, probeTime)
		defer cancel()
		_, err := client.Status(ctx)
		return err
	}) == nil
}

// sinkHas reports whether the sink there runs on this machine and has the ledger at path open.
func sinkHas(ctx context.Context, c *cli.Command, at sinkAt, path string) bool {
	var status *wire.Status
	err := dialSink(ctx, c, at, func(client *sinkclient.Client) (err error) {
		ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
		defer cancel()
		status, err = client.Status(ctx)
		return err
	})
	return err == nil && hasOpen(status, path)
}

// hasOpen reports whether the sink of that status runs on this machine and has the ledger at path open.
func hasOpen(status *wire.Status, path string) bool {
	host, err := os.Hostname()
	ours, oursErr := os.Stat(path)
	theirs, theirsErr := os.Stat(status.Ledger)
	return errors.Join(err, oursErr, theirsErr) == nil && status.Host == host && os.SameFile(ours, theirs)
}

// useSinkLedger calls use with the running sink's ledger. --timeout bounds its first answer only: a long list may take
// longer.
func useSinkLedger(
	ctx context.Context, c *cli.Command, at sinkAt, use func(context.Context, ledgerAccess) error,
) error {
	return dialSink(ctx, c, at, func(client *sinkclient.Client) error {
		first, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
		defer cancel()
		if _, err := client.Status(first); err != nil {
			return err
		}
		return use(ctx, client)
	})
}

// selection returns the rejected and dead entries that --only and --run select.
func selection(c *cli.Command) (wire.EntriesArgs, error) {
	args := wire.EntriesArgs{Run: c.String("run"), Outcomes: []outcome.Outcome{outcome.Rejected, outcome.Dead}}
	for _, word := range c.StringSlice("only") {
		if word == string(outcome.Dead) {
			args.Reasons = append(args.Reasons, "") // a rejection has a reason, a dead letter has none
			continue
		}
		reason, err := outcome.ParseReason(word)
		if err != nil {
			return args, usagef("--only: %v, or dead", err)
		}
		args.Reasons = append(args.Reasons, reason)
	}
	return args, nil
}

// partlyDone returns, of a selection of rejected and dead entries, the like of images that were done only in part.
// Such an image has no dead variant, so a selection of dead letters alone selects none, and ok is false.
func partlyDone(args wire.EntriesArgs) (partly wire.EntriesArgs, ok bool) {
	partly = wire.EntriesArgs{Run: args.Run, Partly: true}
	for _, reason := range args.Reasons {
		if reason != "" {
			partly.Reasons = append(partly.Reasons, reason)
		}
	}
	return partly, len(args.Reasons) == 0 || len(partly.Reasons) > 0
}

func selectionFlags() []cli.Flag {
	return []cli.Flag{
		texts(whatToTake, "only", "take only images with this `REASON`, or dead; repeatable"),
		text(whatToTake, "run", "", "take only images of this `RUN`"),
	}
}
