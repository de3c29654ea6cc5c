package ventilator

import (
	"context"
	"hash/maphash"

	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// Kept is what a run over some inputs would keep: its images and their outputs. It holds hashes of names, not names.
type Kept struct {
	seed    maphash.Seed
	outputs map[uint64]struct{}
	images  map[uint64]struct{}
	sources map[string]struct{}

	// Dangling is where links are that lead nowhere, the first maxNamed of them. What they led to may come back, so an
	// image of the link's name counts as there.
	Dangling []string
}

// FindKept walks the inputs of cfg, of which it needs Inputs, Stdin, Select and Recipe. It returns a *UsageError when
// images may be out of sight: one of the inputs has none, or something cannot be read.
func FindKept(ctx context.Context, cfg Config) (*Kept, error) {
	cfg = cfg.withDefaults()
	all, err := newFinder(&cfg)
	if err != nil {
		return nil, err
	}
	look, err := all.survey(ctx, cfg.Recipe)
	if err != nil {
		return nil, err
	}
	k := &Kept{seed: maphash.MakeSeed(), outputs: make(map[uint64]struct{}), images: make(map[uint64]struct{}),
		sources: make(map[string]struct{})}
	v := Ventilator{cfg: cfg}
	for _, s := range all.sources {
		found := false
		var left leftOut
		keep := func(im image, names recipe.Recipe) {
			from := v.sourceOf(&im)
			k.sources[from] = struct{}{}
			k.images[k.hash(inputOf(from, im.Name))] = struct{}{}
			for _, out := range names.OutputNames(im.Name) {
				k.outputs[k.hash(out)] = struct{}{}
			}
		}
		err := (&finder{sources: []source.Source{s}}).walk(ctx, func(im image) error {
			found = true
			keep(im, look.naming.variants(im.Name))
			return nil
		}, func(o source.Omission) {
			if o.Name == "" {
				left.add(o)
				return
			}
			im := image{Name: o.Name, Path: o.Location, source: s}
			keep(im, look.naming.usual)
			keep(im, look.naming.full)
			if len(k.Dangling) < maxNamed {
				k.Dangling = append(k.Dangling, o.Location)
			}
		})
		switch {
		case err != nil:
			return nil, err
		case len(left.all.Unreadable) > 0:
			o := left.all.Unreadable[0]
			return nil, usage("%q cannot be read, so its images may be there: %v", o.Location, o.Err)
		case !found:
			return nil, usage("no images in %q: is it mounted?", s.String())
		}
	}
	return k, nil
}

func (k *Kept) hash(s string) uint64 { return maphash.String(k.seed, s) }

// HasOutput reports whether an image of the inputs has an output of that name. It errs, once in many billions, on the
// side of keeping.
func (k *Kept) HasOutput(name string) bool { return contains(k.outputs, k.hash(name)) }

// HasImage reports whether the inputs have the image of that name and source.
func (k *Kept) HasImage(from, name string) bool {
	return contains(k.images, k.hash(inputOf(from, name)))
}

// Covers reports whether images of the inputs come from that source, so that others of it would have been found.
func (k *Kept) Covers(from string) bool { return from != "" && contains(k.sources, from) }

func contains[K comparable](set map[K]struct{}, key K) bool {
	_, is := set[key]
	return is
}
