package ventilator

import (
	"context"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
)

// This file finds images as they come.

// watchImages visits the images of the inputs, and then those that come or change, until ctx ends. It calls flush
// whenever there is nothing more to visit for now.
func (v *Ventilator) watchImages(
	ctx context.Context, visit func(image) error, omit func(source.Omission), flush func() error,
) error {
	makers := make(map[uint64]uint64) // hash of an output → hash of the name of its image
	return v.watch.Run(ctx, func(s source.Source, e source.Entry) error {
		return offer(ctx, s, e, func(im image) error {
			if !v.finder.part.Has(im.entry.Name) {
				return nil
			}
			v.refuseClash(&im, makers)
			return visit(im)
		}, omit)
	}, omit, flush)
}

// refuseClash refuses an image whose output another image has made. The names were decided when the run began, and
// cannot change while others rely on them.
func (v *Ventilator) refuseClash(im *image, makers map[uint64]uint64) {
	name := v.naming.hash(im.Name)
	outputs := v.naming.outputs(im.Name)
	for _, out := range outputs {
		if maker, is := makers[v.naming.hash(out)]; is && maker != name && im.refused == nil {
			im.refused = outcome.Reject(outcome.Obstructed, "its output %q is that of another image already; "+
				"a new run names both by their extensions", out)
		}
	}
	if im.refused == nil {
		for _, out := range outputs {
			makers[v.naming.hash(out)] = name
		}
	}
}
