package ventilator

import (
	"context"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file asks the sink which variants of the images that are due need not be made, because an earlier run made them
// under another recipe, and which clash with what another run makes at the same time.

// lookUpVariants notes for each image of the batch that is due which of its variants are to be made. Images of which
// the ledger has all are settled by that. It waits until the sink answers or refuses.
func (v *Ventilator) lookUpVariants(ctx context.Context, batch []candidate) error {
	return v.askAboutDue(ctx, batch, func(args wire.VariantsArgs, images []*candidate) error {
		known, err := untilAnswered(ctx, v, func(ctx context.Context) ([]wire.KnownVariants, error) {
			return v.walkClient.Variants(ctx, args)
		})
		if err != nil {
			return err
		}
		for i, c := range images {
			if c.earlier = known[i].Receipt; c.earlier == nil && len(known[i].Names) > 0 {
				c.only = v.unknown(c.Name, known[i].Names)
			}
		}
		return nil
	})
}

// reserve reserves the outputs of the images of the batch that are due. An image is refused when another run that
// goes on at the same time makes one of its outputs of another image; with Config.Force that is logged.
func (v *Ventilator) reserve(ctx context.Context, batch []candidate) error {
	if v.cfg.DryRun {
		return nil
	}
	return v.askAboutDue(ctx, batch, func(args wire.VariantsArgs, images []*candidate) error {
		clashes, err := untilAnswered(ctx, v, func(ctx context.Context) ([]wire.Clash, error) {
			return v.walkClient.Reserve(ctx, args)
		})
		for _, clash := range clashes {
			c := images[clash.Image]
			if v.cfg.Force {
				v.log.Warn("an output of another run is replaced, because of --force", "file", c.Path, "output", clash.Output,
					"of", clash.Of, "run", clash.Run)
				continue
			}
			c.refused = outcome.Reject(outcome.Obstructed, "its output %q is that of %q, which run %q makes at the same time",
				clash.Output, clash.Of, clash.Run)
		}
		return err
	})
}

// askAboutDue calls ask for the images of the batch that are due, with arguments for the sink: once for each recipe. It
// does without an answer that the sink refuses.
func (v *Ventilator) askAboutDue(
	ctx context.Context, batch []candidate, ask func(wire.VariantsArgs, []*candidate) error,
) error {
	due := make(map[string][]*candidate) // by recipe
	for i := range batch {
		c := &batch[i]
		if c.earlier == nil && v.refusal(&c.image) == nil && len(c.input) <= wire.MaxInput {
			text := v.naming.recipe(c.Name)
			due[text] = append(due[text], c)
		}
	}
	for text, images := range due {
		args := wire.VariantsArgs{Recipe: text}
		if !v.cfg.DryRun {
			args.Run = v.cfg.Run
			select {
			case <-v.registered:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		for _, c := range images {
			args.Images = append(args.Images, wire.VariantsOf{
				Filename: c.Name, Source: v.sourceOf(&c.image), Input: []byte(c.input),
			})
		}
		err := ask(args, images)
		if isRefusal(err) {
			v.log.Warn("the sink does not tell what it knows of images that are due; they are made", "error", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unknown returns the names of the variants of an image that are not among known.
func (v *Ventilator) unknown(name string, known []string) (unknown []string) {
	for _, variant := range v.naming.variants(name).Variants {
		if !slices.Contains(known, variant.Name) {
			unknown = append(unknown, variant.Name)
		}
	}
	return unknown
}
