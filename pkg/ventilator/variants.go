package ventilator

import (
	"context"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file asks the sink which variants of the images that are due need not be made, because an earlier run made them
// under another recipe.

// lookUpVariants notes for each image of the batch that is due which of its variants are to be made. Images of which the
// ledger has all are settled by that. It waits until the sink answers or refuses.
func (v *Ventilator) lookUpVariants(ctx context.Context, batch []candidate) error {
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
		known, err := untilAnswered(ctx, v, func(ctx context.Context) ([]wire.KnownVariants, error) {
			return v.walkClient.Variants(ctx, args)
		})
		switch {
		case isRefusal(err):
			v.log.Warn("the sink does not tell which variants it knows; all are made", "error", err)
			return nil
		case err != nil:
			return err
		}
		for i, c := range images {
			if c.earlier = known[i].Receipt; c.earlier == nil && len(known[i].Names) > 0 {
				c.only = v.unknown(c.Name, known[i].Names)
			}
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
