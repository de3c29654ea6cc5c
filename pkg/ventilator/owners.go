package ventilator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file keeps a run from replacing outputs of other images.
//
// An output belongs to the image that it was made of. An image is identified by its source and its name. A run that
// would replace outputs of other images is refused before the first task. With Config.Force it replaces them and logs
// it.

// sourceOf returns the directory that an image's name is relative to. It is empty if that is unknown, or too long for
// a message.
func (v *Ventilator) sourceOf(im *image) string {
	root := v.roots.Of(im.Path, im.Name)
	if len(root) > wire.MaxName {
		return ""
	}
	return root
}

// urlOf returns the URL of an image from a web server, where the source and the name do not tell it; else nothing.
func (v *Ventilator) urlOf(im *image) string {
	if !source.IsURL(im.Path) || len(im.Path) > wire.MaxName || v.sourceOf(im)+im.Name == im.Path {
		return ""
	}
	return im.Path
}

// inputOf names an image independently of the directory that it was found from.
func inputOf(source, name string) string { return strings.TrimSuffix(source, "/") + "/" + name }

// replacements gathers the images whose outputs would replace those of other images.
type replacements struct {
	images int
	lines  []string
}

func (r *replacements) add(im *image, owner *wire.Owner) {
	if r.images++; r.images <= maxClashes {
		r.lines = append(r.lines, fmt.Sprintf("%q would replace %q, which run %q made of %q", im.Path, owner.Output,
			owner.Run, inputOf(owner.Source, owner.Filename)))
	}
}

// checkOwners returns an error, or with Force logs a warning, if outputs of this run would replace outputs of other
// images. It walks the inputs only if the ledger has images of other sources.
func (v *Ventilator) checkOwners(ctx context.Context) error {
	if v.walkClient == nil {
		return nil
	}
	type known struct {
		sources []string
		more    bool
	}
	others, err := untilAnswered(ctx, v, func(ctx context.Context) (known, error) {
		sources, more, err := v.walkClient.Sources(ctx)
		return known{sources, more}, err
	})
	switch {
	case isRefusal(err):
		return nil // a sink of an earlier version does not know owners
	case err != nil || len(others.sources) == 0:
		return err
	}
	var found replacements
	batch := make(map[string]image) // by output
	ask := func() error {
		err := v.askOwners(ctx, batch, &found)
		clear(batch)
		return err
	}
	err = v.finder.walk(ctx, func(im image) error {
		from := v.sourceOf(&im)
		if !others.more && !slices.ContainsFunc(others.sources, func(s string) bool { return s != from }) {
			return nil
		}
		for _, out := range v.naming.outputs(im.Name) {
			batch[out] = im
		}
		if len(batch) < batchMax {
			return nil
		}
		return ask()
	}, func(source.Omission) {})
	if err == nil {
		err = ask()
	}
	if err != nil || found.images == 0 {
		return err
	}
	if v.cfg.Force {
		v.log.Warn("outputs of other images are replaced, because of --force",
			"images", found.images, "first", found.lines[0])
		return nil
	}
	list := strings.Join(found.lines, "\n  ")
	if more := found.images - len(found.lines); more > 0 {
		list += fmt.Sprintf("\n  and %d more", more)
	}
	return usage("the run would replace outputs of other images: choose another --out, name the variants otherwise "+
		"(--variant), or replace the outputs with --force\n  %s", list)
}

// recipeOf returns the recipe that an output was made by. A sink of an earlier version does not tell it; then it is
// taken for this run's.
func (v *Ventilator) recipeOf(owner *wire.Owner, im *image) string {
	return cmp.Or(owner.Recipe, v.naming.recipe(im.Name))
}

// askOwners asks the sink who owns the outputs of batch, which maps outputs to images. It adds to found the images that
// would replace an output of another image.
func (v *Ventilator) askOwners(ctx context.Context, batch map[string]image, found *replacements) error {
	if len(batch) == 0 {
		return nil
	}
	names := make([]string, 0, len(batch))
	for name := range batch {
		names = append(names, name)
	}
	slices.Sort(names)
	owners, err := untilAnswered(ctx, v, func(ctx context.Context) ([]wire.Owner, error) {
		return v.walkClient.Owners(ctx, names)
	})
	if err != nil {
		return err
	}
	reported := make(map[string]bool) // paths of images
	for i := range owners {
		owner := &owners[i]
		im, ours := batch[owner.Output]
		if !ours || reported[im.Path] || owner.Source == "" ||
			inputOf(owner.Source, owner.Filename) == inputOf(v.sourceOf(&im), im.Name) {
			continue
		}
		if input, err := v.identify(ctx, &im, nil); err == nil && input.ID(v.recipeOf(owner, &im)).String() == owner.ID {
			continue // the same image, moved or copied
		}
		reported[im.Path] = true
		found.add(&im, owner)
	}
	return nil
}
