package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
)

func pruneCommand() *cli.Command {
	return &cli.Command{
		Name:      "prune",
		Usage:     "remove outputs whose image or variant is gone",
		ArgsUsage: "DIR|FILE|URL|- …",
		Description: `Takes the inputs, the recipe and the globs of a run. Lists the outputs that such
a run would not have, then removes them. It removes only files that the ledger
knows, that have the size that it knows, and whose image came from one of these
inputs, and the directories that it has emptied. It refuses to work when an
input has no images (perhaps it is not mounted) or something in it cannot be
read. No sink may have the ledger open. Shards are written again without what is
gone, and without samples of which a later shard has a newer one.

   farm prune --dry-run ~/Pictures --out ~/thumbnails      only list them
   farm prune ~/Pictures --out ~/thumbnails --size 64,128
   farm prune ~/Pictures --out 'tar:dataset/part-%06d.tar'

` + exitMark + plainExitHelp,
		Flags: concat([]cli.Flag{
			yes(whatToTake, "dry-run", "list what would be removed; remove nothing"),
			yes(showing, "json", "print JSON lines: each output, then a summary"),
			outFlag(whereToGo, "`DIR` of the outputs with the ledger in it, s3://… or tar:…"),
			text(whereToGo, "ledger", "", "`FILE` of the ledger, when it is elsewhere"),
			waitBucketFlag(),
		}, recipeFlags(), selectFlags(), commonFlags("warn", "")),
		Action: runPrune,
	}
}

func runPrune(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	what, err := recipeOf(c)
	if err != nil {
		return err
	}
	if c.Args().Len() == 0 {
		return usagef("name the inputs of the run: a directory of images, a file, s3://BUCKET/PREFIX, or - for a list")
	}
	path := ledgerPathOf(c)
	if _, err := os.Stat(path); err != nil {
		return usagef("no ledger at %s: say where with --out or --ledger", path)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, first, stop := signals(ctx, slog.New(slog.DiscardHandler), 0, cancel) // there is nothing to drain
	defer stop()
	p := pruning{dry: c.Bool("dry-run"), out: bufio.NewWriter(stdout()), json: c.Bool("json")}
	if err := probeBuckets(ctx, c, append(c.Args().Slice(), placeOf(c.String("out"))), endWithout, log); err != nil {
		return err
	}
	buckets := bucket.Config{Trouble: warnOfBucket(log)}
	p.kept, err = ventilator.FindKept(ctx, ventilator.Config{
		Inputs: c.Args().Slice(), Stdin: os.Stdin, Recipe: what, Select: selectionOf(c, buckets, source.Web{}),
	})
	if err == nil {
		for _, link := range p.kept.Dangling {
			notice(c, "%s is a link that leads nowhere; the outputs of its name stay", printable.Line(link))
		}
	}
	if err == nil {
		err = p.open(ctx, c.String("out"), path, blob.Config{Bucket: buckets, ReadOnly: p.dry})
	}
	if err == nil {
		err = errors.Join(p.run(ctx), p.store.Close(), p.ledger.Close())
	}
	if sig := first(); sig != nil {
		return &exitError{code: signalled{sig}.code()}
	}
	if err != nil {
		return err
	}
	return p.summarize(c.Bool("quiet"))
}

// pruning is one run of `farm prune`.
type pruning struct {
	kept   *ventilator.Kept
	ledger *ledger.Ledger
	store  prunable
	dry    bool
	json   bool
	out    *bufio.Writer

	removed, bytes int64
	changed        int64 // outputs that are not as the ledger knows them, and stay
	elsewhere      int64 // outputs of images of other inputs, or out of sight, which stay

	shards           *prunedShards // nil: outputs are files
	rewritten, freed int64         // shards, and bytes
}

// prunable is a store of outputs that can be removed.
type prunable interface {
	Stat(name string) (int64, error)
	Remove(name string) error
	Close() error
}

func (p *pruning) open(ctx context.Context, out, path string, cfg blob.Config) (err error) {
	p.ledger, err = ledger.Open(path, ledger.Config{ReadOnly: p.dry, LockTimeout: 100 * time.Millisecond})
	if errors.Is(err, ledger.ErrInUse) {
		return fmt.Errorf("%w; stop the sink first", err)
	}
	if err != nil {
		return err
	}
	if shard.Is(out) {
		p.shards, err = openPruned(ctx, out, p.ledger, cfg)
		p.store = p.shards
	} else {
		p.store, err = blob.Open(out, cfg)
	}
	if err != nil {
		return errors.Join(usagef("--out: %w", err), p.ledger.Close())
	}
	return nil
}

// gone is what is to be removed of one entry.
type gone struct {
	pruned ledger.Pruned
	size   map[string]int64 // of outputs, as the ledger knows them
}

// pruneAtOnce is how many entries are listed, and then pruned, at a time.
const pruneAtOnce = 1000

func (p *pruning) run(ctx context.Context) error {
	var batch []gone
	err := p.ledger.Walk(ctx, 0, func(e ledger.Entry) error {
		g, err := p.look(&e)
		if err != nil || g == nil {
			return err
		}
		if batch = append(batch, *g); len(batch) < pruneAtOnce {
			return nil
		}
		err = p.remove(ctx, batch)
		batch = batch[:0]
		return err
	})
	if err = cmp.Or(err, p.remove(ctx, batch)); err == nil && p.shards != nil {
		err = p.shards.rewrite(ctx, p.tellRewritten)
	}
	return cmp.Or(err, p.out.Flush())
}

// look lists the outputs of an entry that are to be removed. It returns nil when the entry stays as it is.
func (p *pruning) look(e *ledger.Entry) (*gone, error) {
	if !p.kept.Covers(e.Source) {
		others, err := p.ledger.Superseded(e)
		for _, o := range e.Outputs {
			if !slices.Contains(others, o.Name) {
				p.elsewhere++
			}
		}
		return nil, err
	}
	there := p.kept.HasImage(e.Source, e.Filename)
	if e.Outcome != outcome.Done {
		if there {
			return nil, nil
		}
		return &gone{pruned: ledger.Pruned{ID: e.ID}}, nil
	}
	others, err := p.ledger.Superseded(e)
	if err != nil {
		return nil, err
	}
	g := &gone{pruned: ledger.Pruned{ID: e.ID}, size: make(map[string]int64)}
	for _, o := range e.Outputs {
		if slices.Contains(others, o.Name) || p.kept.HasOutput(o.Name) {
			continue
		}
		size, err := p.store.Stat(o.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && (e.Stored || e.Stranger):
			p.elsewhere++ // a worker wrote it, perhaps where only workers look
			continue
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, err
		case o.Size > 0 && size != o.Size:
			p.changed++
			p.list("keep", o.Name, "it is not the file that the ledger knows", size)
			continue
		default:
			why := "its variant is gone"
			if !there {
				why = "its image is gone"
			}
			p.list("remove", o.Name, why, size)
			p.removed++
			p.bytes += size
			if p.shards != nil {
				p.shards.noteGone(o.Name)
			}
		}
		g.pruned.Outputs = append(g.pruned.Outputs, o.Name)
		g.size[o.Name] = o.Size
	}
	if len(g.pruned.Outputs) == 0 && len(others) < len(e.Outputs) {
		return nil, nil
	}
	return g, nil // an entry without an output of its own is of no use, either
}

// list prints what becomes of an output.
func (p *pruning) list(what, name, why string, size int64) {
	if p.json {
		_ = json.NewEncoder(p.out).Encode(map[string]any{ // flushing reports the error
			"message_type": "prune", "action": what, "name": name, "detail": why, "size": size,
		})
		return
	}
	fmt.Fprintf(p.out, "%s\t%s\t%s\n", what, printable.Line(name), why)
}

// remove removes the outputs of a batch, which have been listed, and notes it in the ledger. An output that was
// replaced since it was listed stays.
func (p *pruning) remove(ctx context.Context, batch []gone) error {
	if err := p.out.Flush(); err != nil || p.dry || len(batch) == 0 {
		return err
	}
	noted := make([]ledger.Pruned, 0, len(batch))
	for _, g := range batch {
		if err := ctx.Err(); err != nil {
			return err
		}
		for name, known := range g.size {
			size, err := p.store.Stat(name)
			if err == nil && known > 0 && size != known { // somebody has just replaced it
				g.pruned.Outputs = slices.DeleteFunc(g.pruned.Outputs, func(out string) bool { return out == name })
				p.changed++
				continue
			}
			if err := p.removeOutput(name, err == nil); err != nil {
				return err
			}
		}
		noted = append(noted, g.pruned)
	}
	if p.shards != nil {
		if err := p.shards.drop(); err != nil {
			return err
		}
	}
	return p.ledger.Prune(noted)
}

// tellRewritten lists a shard that is written again.
func (p *pruning) tellRewritten(r shard.Rewritten) {
	p.rewritten++
	p.freed += r.Freed
	p.list("rewrite", r.Shard, numfmt.Counted(r.Removed, "sample")+" in it gone or superseded", r.Freed)
}

// removeOutput removes an output, and the directories that are empty without it. A directory in which the output was
// missing already stays: somebody else emptied it.
func (p *pruning) removeOutput(name string, there bool) error {
	if err := p.store.Remove(name); err != nil || !there {
		return err
	}
	if dir, is := p.store.(*blob.Dir); is {
		return dir.RemoveEmptyAbove(name)
	}
	return nil
}

// summarize prints what was done, on standard error, or as a last JSON line.
func (p *pruning) summarize(quiet bool) error {
	if p.json {
		return json.NewEncoder(stdout()).Encode(map[string]any{
			"message_type": "summary", "dry_run": p.dry, "removed": p.removed, "removed_bytes": p.bytes,
			"changed": p.changed, "elsewhere": p.elsewhere, "rewritten": p.rewritten, "freed_bytes": p.freed,
		})
	}
	if quiet {
		return nil
	}
	verb := "removed"
	if p.dry {
		verb = "to remove"
	}
	return p.summary(stderr(), verb)
}

func (p *pruning) summary(w io.Writer, verb string) error {
	line := fmt.Sprintf("%s %s, %s", numfmt.Counted(p.removed, "output"), verb, numfmt.Bytes(p.bytes))
	switch {
	case p.rewritten > 0 && p.dry:
		line += fmt.Sprintf("; %s to rewrite", numfmt.Counted(p.rewritten, "shard"))
	case p.rewritten > 0:
		line += fmt.Sprintf("; %s rewritten, %s less", numfmt.Counted(p.rewritten, "shard"), numfmt.Bytes(p.freed))
	}
	if p.changed > 0 {
		line += fmt.Sprintf("; %s were changed by somebody else and stay", numfmt.Count(p.changed))
	}
	if p.elsewhere > 0 {
		line += fmt.Sprintf("; %s outputs of other inputs, or out of sight, stay", numfmt.Count(p.elsewhere))
	}
	_, err := fmt.Fprintln(w, line)
	return err
}
