package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func verifyCommand() *cli.Command {
	return &cli.Command{
		Name:  "verify",
		Usage: "check that outputs in the ledger exist, are unchanged, and decode",
		Description: `Lists outputs that are missing, differ from the ledger in size or content, or
cannot be decoded. With --quick it compares names and sizes only. Outputs that
another input, or other content, has replaced since are counted as superseded,
and those in a shard that is open on another machine as open.

The next run makes missing outputs and those of a wrong size again. Remove any
other listed output, and the next run makes it again, too. The sink cannot see
the outputs that a worker wrote itself (worker --out): use --force for these.

   farm verify --out ~/thumbnails
   farm verify --quick --out s3://bucket/thumbnails --ledger ledger.db
   farm verify --out tar:dataset
   farm verify --out ~/thumbnails --json | jq -r 'select(.problem).name'

` + exitMark + `   0  every output is as the ledger says
   1  a fault
   2  wrong usage
   4  the ledger and the disk differ`,
		Flags: concat([]cli.Flag{
			yes(whatToTake, "quick", "check names and sizes only, decode nothing"),
			yes(showing, "json", "print JSON lines: each problem, then a summary"),
			number(limits, "slots", 0, from(0).to(maxSlots), "outputs checked at the same time (default: processors)"),
			bytes(limits, "max-message", "1GiB", from[int64](1).to(maxMessage), "largest output that is decoded"),
			waitBucketFlag(),
		}, engineFlags(), ledgerFlags()),
		Action: runVerify,
	}
}

func runVerify(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	var e *runningEngine
	if !c.Bool("quick") {
		if e, err = engineOf(c, log); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, first, stop := signals(ctx, slog.New(slog.DiscardHandler), 0, cancel) // there is nothing to drain
	defer stop()
	var v *verification
	err = withLedger(ctx, c, true, func(ctx context.Context, b ledgerAccess) error {
		dir, err := outputsOf(ctx, c, b)
		if err != nil {
			return err
		}
		if err := probeBucket(ctx, c, placeOf(dir), endWithout, log); err != nil {
			return err
		}
		store, err := readStore(ctx, c, dir, b, log)
		if err != nil {
			return usagef("--out: %v", err)
		}
		defer store.Close()
		v = &verification{
			store: store, slots: cmp.Or(c.Int("slots"), runtime.GOMAXPROCS(0)), wrong: make(map[string]*problem),
			limit: bytesOf(c, "max-message"),
			tell:  verifyProgress(stderr(), c.Bool("quiet"), entriesOf(ctx, b)),
		}
		if e == nil {
			return v.run(ctx, b)
		}
		v.engine = e
		return e.with(ctx, func(ctx context.Context) error { return v.run(ctx, b) })
	})
	if sig := first(); sig != nil {
		return &exitError{code: signalled{sig}.code()}
	}
	if err != nil {
		return err
	}
	if err := v.print(stdout(), c.Bool("json"), c.Bool("quiet")); err != nil {
		return err
	}
	if v.problems() > 0 {
		return &exitError{code: ExitUnbalanced}
	}
	return nil
}

// outputsOf returns where the outputs are: --out, the bucket of a running sink, or its directory on this machine.
func outputsOf(ctx context.Context, c *cli.Command, b ledgerAccess) (string, error) {
	client, running := b.(*sinkclient.Client)
	if !running || c.IsSet("out") {
		return c.String("out"), nil
	}
	status, err := client.Status(ctx)
	if err != nil {
		return "", err
	}
	if inBucket(status.Out) {
		return status.Out, nil
	}
	host, err := os.Hostname()
	if err != nil || status.Host != host || !filepath.IsAbs(placeOf(status.Out)) {
		return "", usagef(
			"the sink runs on %s and writes to %s: say with --out where that is seen from here",
			printable.Line(status.Host),
			printable.Line(status.Out),
		)
	}
	return status.Out, nil
}

// entriesOf returns the approximate number of entries of b; 0 if unknown.
func entriesOf(ctx context.Context, b ledgerAccess) uint64 {
	switch b := b.(type) {
	case *sinkclient.Client:
		if status, err := b.Status(ctx); err == nil {
			return status.Settled
		}
	case sink.Reader:
		if totals, err := b.Ledger.Totals(); err == nil {
			return uint64(totals.Settled())
		}
	}
	return 0
}

// verification compares a ledger's claims with a store.
type verification struct {
	store  readOnlyStore
	engine engine.Engine // nil: nothing is decoded
	slots  int
	limit  int64 // bytes of the largest output that is decoded
	tell   func(entries, wrong uint64)

	entries, outputs, unseen uint64              // checked; unseen: too large to be decoded
	open                     uint64              // outputs in shards that are open out of sight
	openAt, openShard        string              // HOST:DIRECTORY and the name of one of these
	counted                  claims              // of the images, and of what replaced their outputs
	wrong                    map[string]*problem // by the output's name
	order                    []string            // names in wrong, in the order in which they were found
	more                     uint64              // problems beyond maxProblems
}

// problem is an output that differs from the ledger.
type problem struct {
	Kind     string `json:"message_type"` // "problem"
	Name     string `json:"name"`
	Problem  string `json:"problem"` // "missing", "wrong-size", "wrong-content" or "unreadable"
	Detail   string `json:"detail"`
	Size     int64  `json:"size"` // that the ledger claims
	Filename string `json:"filename"`
	ID       string `json:"id"`
	Run      string `json:"run"`
}

// maxProblems bounds the problems that are listed. Further problems are only counted.
const maxProblems = 100_000

// check is a recipe that decodes the whole image and makes one pixel.
const check = "check=crop:1x1"

// run looks at every output, a page of the ledger at a time. The image of a name may have changed between two runs, and
// then several entries claim the same output, of which the last was right when it was written: what an earlier one
// says is forgotten.
func (v *verification) run(ctx context.Context, b wire.LedgerReader) error {
	what, err := recipe.Parse(check)
	if err != nil {
		return err
	}
	args := wire.EntriesArgs{Outcomes: []outcome.Outcome{outcome.Done}, Superseded: true}
	for {
		page, err := b.Entries(ctx, args)
		if err != nil {
			return err
		}
		found := make([][]finding, len(page.Entries))
		group, gctx := errgroup.WithContext(ctx)
		group.SetLimit(v.slots)
		for i := range page.Entries {
			found[i] = make([]finding, len(page.Entries[i].Outputs))
			for j := range page.Entries[i].Outputs {
				group.Go(func() (err error) {
					found[i][j], err = v.look(gctx, &page.Entries[i].Outputs[j], what)
					return err
				})
			}
		}
		if err := group.Wait(); err != nil {
			return causeOf(ctx, err)
		}
		for i := range page.Entries {
			v.take(&page.Entries[i], found[i])
		}
		v.tell(v.entries, v.problems())
		if page.Next == "" {
			return nil
		}
		args.After = page.Next
	}
}

// finding is the result of the check of one output. An empty problem means that the output is as it should be.
type finding struct {
	problem, detail string
	unseen          bool
	superseded      bool // it belongs to a later entry

	openAt, shard string // HOST:DIRECTORY of the open shard that it is in, out of sight; empty: it was checked
}

// look checks one output. An error means that the check itself failed.
func (v *verification) look(ctx context.Context, o *wire.OutputInfo, what recipe.Recipe) (finding, error) {
	if err := ctx.Err(); err != nil {
		return finding{}, err
	}
	if o.Superseded {
		return finding{superseded: true}, nil
	}
	size, err := statOutput(v.store, o)
	switch {
	case errors.Is(err, fs.ErrNotExist) && inShard(v.store, o):
		return finding{}, usagef("--out: the outputs are in shards, such as %s: name these with --out %s",
			printable.Line(o.Shard), shellWord(shardsIn(v.store.Path(), o.Shard)))
	case errors.Is(err, fs.ErrNotExist) && isOpenElsewhere(v.store, o):
		return finding{openAt: o.OpenAt, shard: o.Shard}, nil
	case errors.Is(err, fs.ErrNotExist):
		return finding{problem: "missing", detail: "nothing has that name"}, nil
	case errors.Is(err, blob.ErrName), errors.Is(err, blob.ErrObstructed):
		return finding{problem: "missing", detail: err.Error()}, nil
	case err != nil:
		return v.unreadable(err)
	case o.Size > 0 && size != o.Size:
		return finding{problem: "wrong-size", detail: fmt.Sprintf("%d bytes, the ledger says %d", size, o.Size)}, nil
	case v.engine == nil:
		return finding{}, nil
	case size > v.limit:
		return finding{unseen: true}, nil
	}
	file, err := openOutput(v.store, o)
	if err != nil {
		return v.unreadable(err)
	}
	defer file.Close()
	data := make([]byte, size)
	if _, err := io.ReadFull(file, data); err != nil {
		return v.unreadable(err)
	}
	if sum := wire.Checksum(data); o.Sum != 0 && sum != o.Sum {
		return finding{problem: "wrong-content", detail: fmt.Sprintf("checksum %08x, the ledger says %08x", sum, o.Sum)}, nil
	}
	_, err = v.engine.Transform(ctx, data, what.For(o.Name))
	var rejection *outcome.Rejection
	switch {
	case err == nil:
		return finding{}, nil
	case !errors.As(err, &rejection):
		return finding{}, err
	}
	switch rejection.Reason {
	case outcome.TooLarge, outcome.TooManyPixels, outcome.AnimatedTooLong, outcome.Timeout, outcome.OutOfMemory:
		return finding{unseen: true}, nil // beyond our limits, which says nothing about the output
	}
	return finding{problem: "unreadable", detail: rejection.Error()}, nil
}

// unreadable returns a finding for an unreadable file, or an error if the whole store is unreadable.
func (v *verification) unreadable(err error) (finding, error) {
	gone := errors.Is(err, blob.ErrUnavailable)
	if _, is := v.store.(*blob.Dir); is { // one file of a working disk may be unavailable
		_, readErr := os.ReadDir(v.store.Path())
		gone = readErr != nil
	}
	if gone {
		return finding{}, err
	}
	return finding{problem: "unreadable", detail: err.Error()}, nil
}

// take records the findings about the outputs of an entry.
func (v *verification) take(r *wire.Receipt, found []finding) {
	v.entries++
	v.counted.take(r)
	for i, o := range r.Outputs {
		f := found[i]
		if f.superseded {
			continue
		}
		v.outputs++
		if f.unseen {
			v.unseen++
		}
		if f.openAt != "" {
			v.open++
			v.openAt, v.openShard = f.openAt, f.shard
		}
		known := v.wrong[o.Name]
		switch {
		case f.problem == "":
			delete(v.wrong, o.Name)
		case known == nil && len(v.order) >= maxProblems:
			v.more++
		default:
			if known == nil {
				v.order = append(v.order, o.Name)
			}
			v.wrong[o.Name] = &problem{
				Kind: "problem", Name: o.Name, Problem: f.problem, Detail: f.detail, Size: o.Size,
				Filename: r.Filename, ID: r.ID, Run: r.Run,
			}
		}
	}
}

func (v *verification) problems() uint64 { return uint64(len(v.wrong)) + v.more }

// verifyProgress returns a function that prints the progress of a verification every five seconds.
func verifyProgress(w io.Writer, quiet bool, total uint64) func(entries, wrong uint64) {
	const every = 5 * time.Second
	last := time.Now()
	return func(entries, wrong uint64) {
		if quiet || time.Since(last) < every {
			return
		}
		last = time.Now()
		of := ""
		if total >= entries {
			of = fmt.Sprintf(" of about %d", total)
		}
		fmt.Fprintf(w, "%s  checked the outputs of %d%s entries, %d wrong\n", last.Format(time.TimeOnly), entries, of, wrong)
	}
}
