package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file finds outputs that need not be made, because an earlier task of the same image had the same variant.
//
// The ledger's index of outputs leads from the name of an output to the entry that owns it. That entry's id proves
// that it is about the same content of the image: it is the id of the image's Input and of the entry's own recipe.
// Its recipe says whether the variant is the same.
//
// Where runs hash the images, the ledger's index of contents leads to an image that had another name; its outputs are
// copied.

// earlier is what the ledger knows of the outputs of a task.
type earlier struct {
	outputs []ledger.Output // by the index of their variants; without a name: not known
	known   int             // how many are
	copies  []outputCopy    // of them, those that exist under another name
	newest  ledger.Entry    // of the entries that own them
	stored  bool            // workers stored some of them
}

// add makes o, an output that was made for e, the output of a variant, and returns it as it is noted.
func (f *earlier) add(variant int, o ledger.Output, e *ledger.Entry) ledger.Output {
	o.Earlier = true
	f.outputs[variant] = o
	f.known++
	if e.Seq > f.newest.Seq {
		f.newest = *e
	}
	return o
}

// outputCopy is an output that is to be a copy of another.
type outputCopy struct {
	from string
	to   ledger.Output
}

// earlierOutputs looks for outputs of the variants of what that were made of the same image, and are still there.
// While the store is unavailable it waits. The error is the context's cause or the ledger's.
func (c *core) earlierOutputs(
	ctx context.Context, filename string, input taskid.Input, what recipe.Recipe,
) (found earlier, err error) {
	found.outputs = make([]ledger.Output, len(what.Variants))
	names := what.OutputNames(filename)
	owners := make([]*ledger.Entry, len(names))
	err = c.cfg.Ledger.Owners(names, func(name string, e ledger.Entry) {
		v := slices.Index(names, name)
		if e.Outcome == outcome.Done && input.ID(e.Recipe) == e.ID && hasVariant(e.Recipe, what.Variants[v]) {
			owners[v] = &e
		}
	})
	if err != nil {
		return found, err
	}
	here := make(map[uint64][]bool) // by the number of the entry
	for v, e := range owners {
		if e == nil {
			continue
		}
		if here[e.Seq] == nil {
			if here[e.Seq], err = c.findOutputs(ctx, e); err != nil {
				return found, err
			}
		}
		i := slices.IndexFunc(e.Outputs, func(o ledger.Output) bool { return o.Name == names[v] })
		if !here[e.Seq][i] {
			continue
		}
		o := e.Outputs[i]
		o.Owner = e.Seq
		found.add(v, o, e)
		found.stored = found.stored || e.Stored
	}
	err = c.earlierContent(ctx, filename, input, what, &found)
	return found, err
}

// earlierContent adds to found what can be copied of the outputs of an image of the same content and another name.
func (c *core) earlierContent(
	ctx context.Context, filename string, input taskid.Input, what recipe.Recipe, found *earlier,
) error {
	content := contentOf(input)
	if content == (ledger.Content{}) || found.known == len(what.Variants) || c.cfg.Shards != nil { // a shard holds it once
		return nil
	}
	e, ok, err := c.cfg.Ledger.OfContent(content)
	if err != nil || !ok || e.Filename == filename {
		return err
	}
	others, err := c.cfg.Ledger.Superseded(&e)
	if err != nil {
		return err
	}
	for i, v := range what.Variants {
		from := v.OutputName(e.Filename)
		at := slices.IndexFunc(e.Outputs, func(o ledger.Output) bool { return o.Name == from })
		if found.outputs[i].Name != "" || at < 0 || slices.Contains(others, from) || !hasVariant(e.Recipe, v) ||
			v.OutputFormat(e.Filename, e.Input.Format) != v.OutputFormat(filename, e.Input.Format) {
			continue
		}
		o := e.Outputs[at]
		size, err := c.statOutput(ctx, from)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || size != o.Size {
			continue
		}
		o.Name = v.OutputName(filename)
		found.copies = append(found.copies, outputCopy{from, found.add(i, o, &e)})
	}
	return nil
}

// copyOutputs makes copies of outputs. The error concerns these alone, or is the context's cause.
func (c *core) copyOutputs(ctx context.Context, copies []outputCopy) error {
	for _, o := range copies {
		err := c.retryDisk(ctx, "outputs", func() error {
			return c.cfg.Out.PutFrom(ctx, o.to.Name, func() (io.ReadCloser, error) {
				file, err := c.cfg.Out.Open(o.from)
				if err != nil {
					return nil, err
				}
				return &checked{ReadCloser: file, name: o.from, want: o.to.Sum}, nil
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// checked is an output that fails to be read when its checksum is not the ledger's.
type checked struct {
	io.ReadCloser
	name string
	sum  uint32
	want uint32 // 0: unknown
}

// Read implements io.Reader.
func (f *checked) Read(b []byte) (int, error) {
	n, err := f.ReadCloser.Read(b)
	f.sum = wire.UpdateChecksum(f.sum, b[:n])
	if errors.Is(err, io.EOF) && f.want != 0 && f.sum != f.want {
		return n, fmt.Errorf("the output %q was changed: it is not copied", f.name)
	}
	return n, err
}

// statOutput returns the size of an output. While the store is unavailable it waits.
func (c *core) statOutput(ctx context.Context, name string) (size int64, err error) {
	err = c.retryDisk(ctx, "outputs", func() (err error) {
		size, err = c.cfg.Outputs().Stat(name)
		return err
	})
	return size, err
}

// hasVariant reports whether a recipe, as canonical text, has a variant.
func hasVariant(text string, v recipe.Variant) bool {
	return slices.Contains(strings.Split(text, ";"), v.String())
}

// findOutputs reports for each output of a done task whether it is there, with the size that the ledger knows. Outputs
// that a worker stored where the sink cannot look count as there. But if the sink finds one output of the task, it must
// find the others, too. While the store is unavailable findOutputs waits. The error is the context's cause.
func (c *core) findOutputs(ctx context.Context, e *ledger.Entry) ([]bool, error) {
	here := make([]bool, len(e.Outputs))
	elsewhere := e.Stored || e.Stranger // unless an output turns out to be, or to have been, here
	for i, o := range e.Outputs {
		size, err := c.statOutput(ctx, o.Name)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		here[i] = err == nil && (o.Size == 0 || size == o.Size)
		if !errors.Is(err, fs.ErrNotExist) || !e.Stored && o.Size > 0 { // the sink wrote it, or a ventilator named it
			elsewhere = false
		}
	}
	if elsewhere {
		for i := range here {
			here[i] = true
		}
	}
	return here, nil
}

// variants answers which variants of images the ledger has outputs of. When a run asks, it settles the images of which
// every variant is known.
func (s *settler) variants(ctx context.Context, args *wire.VariantsArgs) (any, error) {
	what, err := s.checkVariants(args)
	if err != nil {
		return nil, err
	}
	reply := wire.Variants{Known: make([]wire.KnownVariants, len(args.Images))}
	unmade := make([]work, len(args.Images)) // without an entry: it has something to make
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(lookers)
	for i := range args.Images {
		group.Go(func() (err error) {
			reply.Known[i], unmade[i], err = s.knownVariants(gctx, args, &args.Images[i], what)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	unmade = slices.DeleteFunc(unmade, func(w work) bool { return w.entry.ID.IsZero() })
	if args.Run == "" {
		return &reply, nil
	}
	_, err = s.commit(ctx, unmade)
	return &reply, err
}

// knownVariants looks for the variants of one image. If every one is known, it returns the work that settles the image.
func (s *settler) knownVariants(
	ctx context.Context, args *wire.VariantsArgs, im *wire.VariantsOf, what recipe.Recipe,
) (known wire.KnownVariants, w work, err error) {
	found, err := s.earlierOutputs(ctx, im.Filename, taskid.Input(im.Input), what)
	if err != nil {
		return known, w, err
	}
	complete := found.known == len(what.Variants)
	if complete && args.Run != "" {
		w.losses = s.losses.Load()
		if err := s.copyOutputs(ctx, found.copies); err != nil {
			if ctx.Err() != nil {
				return known, w, context.Cause(ctx)
			}
			s.peerLog.Warn("cannot copy the outputs of an image that was moved; they are made",
				"file", im.Filename, "error", err)
			return known, w, nil
		}
	}
	for i, o := range found.outputs {
		if o.Name != "" {
			known.Names = append(known.Names, what.Variants[i].Name)
		}
	}
	if !complete {
		return known, w, nil
	}
	w.entry, w.copies = found.entry(args, im), found.copies
	w.receipt = receiptOfEntry(&w.entry)
	receipt := w.receipt
	receipt.At, receipt.Outputs = found.newest.Settled, nil // outputs: as in settled
	known.Receipt = &receipt
	return known, w, w.entry.Validate()
}

// entry returns the entry of a task that has nothing to make: its outputs and all else are those of earlier entries.
func (f *earlier) entry(args *wire.VariantsArgs, im *wire.VariantsOf) ledger.Entry {
	return ledger.Entry{
		ID: taskid.Input(im.Input).ID(args.Recipe), Filename: im.Filename, Run: args.Run, Outcome: outcome.Done,
		Outputs: f.outputs, Worker: f.newest.Worker, Recipe: args.Recipe, Source: im.Source, Dropped: f.newest.Dropped,
		Warnings: f.newest.Warnings, URL: f.newest.URL, Columns: f.newest.Columns, Version: f.newest.Version,
		Known:   withDigest(f.newest.Known, taskid.Input(im.Input)),
		Content: contentOf(taskid.Input(im.Input)), Input: f.newest.Input,
		Settled: time.Now(), Stored: f.stored,
	}
}

// complete adds the outputs of variants that a worker was told not to make to the result's entry and receipt. The error
// says which of them is gone; then the delivery has failed, and the next one makes all.
func (ws *writers) complete(ctx context.Context, w *work) error {
	r := w.result
	if r.Outcome != outcome.Done || len(r.Only) == 0 {
		return nil
	}
	what, err := recipe.ParseCanonical(r.Recipe)
	if err != nil {
		return err
	}
	found, err := ws.earlierOutputs(ctx, r.Filename, taskid.Input(r.Input), what)
	if err != nil {
		return err
	}
	made := w.entry.Outputs
	w.entry.Outputs = nil
	for i, v := range what.Variants {
		if slices.ContainsFunc(r.Refused, func(refused wire.RefusedVariant) bool { return refused.Variant == v.Name }) {
			continue
		}
		name := v.OutputName(r.Filename)
		at := slices.IndexFunc(made, func(o ledger.Output) bool { return o.Name == name })
		switch {
		case at >= 0:
			w.entry.Outputs = append(w.entry.Outputs, made[at])
		case found.outputs[i].Name == "":
			return fmt.Errorf("the earlier output %q is gone", name)
		default:
			w.entry.Outputs = append(w.entry.Outputs, found.outputs[i])
		}
	}
	w.copies = slices.DeleteFunc(found.copies, func(o outputCopy) bool {
		return slices.ContainsFunc(made, func(m ledger.Output) bool { return m.Name == o.to.Name })
	})
	w.receipt.Outputs = receiptOfEntry(&w.entry).Outputs
	if err := w.entry.Validate(); err != nil {
		return err
	}
	return ws.copyOutputs(ctx, w.copies)
}
