package ventilator

import (
	"context"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file finds images, and asks the sink which of them are settled already.

// candidate is a found image with the id of its task.
type candidate struct {
	image
	id      taskid.ID
	earlier *wire.Receipt // settled before this run; nil: due
}

// batchMin and batchMax bound how many images the sink is asked about at a time. The first batches are small, so that
// work begins soon.
const (
	batchMin = 16
	batchMax = 512
)

// findImages refuses outputs that belong to other images. Then it walks the inputs and sends what it finds to out,
// with what the sink knows of each image. It calls omit for what it leaves out, and returns nil when it has walked
// everything.
func (v *Ventilator) findImages(ctx context.Context, out chan<- []candidate, omit func(source.Omission)) error {
	if err := v.checkOwners(ctx); err != nil {
		return err
	}
	size := batchMin
	batch := make([]candidate, 0, size)
	flush := func() error {
		known, err := v.knownVersions(ctx, batch)
		if err != nil {
			return err
		}
		for rest := batch; len(rest) > 0; {
			n, err := v.identifyAll(ctx, rest, known)
			if err != nil {
				return err
			}
			if err := v.lookUp(ctx, rest[:n]); err != nil {
				return err
			}
			for i := range rest[:n] {
				if rest[i].earlier != nil {
					rest[i].entry.Release() // so that only what is sent counts as held
				}
			}
			select {
			case out <- rest[:n:n]:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			rest = rest[n:]
		}
		size = min(2*size, batchMax)
		batch = make([]candidate, 0, size)
		return nil
	}
	visit := func(im image) error {
		if batch = append(batch, candidate{image: im}); len(batch) < size {
			return nil
		}
		return flush()
	}
	if v.watch != nil {
		return v.watchImages(ctx, visit, omit, flush)
	}
	if err := v.finder.walk(ctx, visit, omit); err != nil {
		return err
	}
	return flush()
}

// identifyAll completes the images at the beginning of a batch, at least one, and computes the ids of their tasks. It
// reads, or asks a server about, up to Config.Readers images at a time. It ends early when as many changed images as
// may be held are fetched. known are their validators in an earlier run, by their paths.
func (v *Ventilator) identifyAll(ctx context.Context, batch []candidate, known map[string]string) (n int, err error) {
	holder := v.holder
	if v.cfg.DryRun || v.cfg.ByReference {
		holder = nil // nobody here needs the bytes
	}
	need := func(c *candidate) int64 {
		if !v.cfg.Checksum {
			return 0
		}
		return holder.Room(c.source, c.entry)
	}
	room, err := v.holder.Wait(ctx, need(&batch[0]))
	if err != nil {
		return 0, err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.cfg.Readers)
	for n < len(batch) && (n == 0 || need(&batch[n]) <= room && !v.holder.Full()) {
		i := n
		room -= need(&batch[n])
		n++
		group.Go(func() error {
			im := &batch[i].image
			if version := known[im.Path]; version != "" {
				im.entry = source.Revisit(ctx, im.source, im.entry, version, holder)
			} else {
				im.entry = source.Identify(ctx, im.source, im.entry)
			}
			im.Size, im.Modified = im.entry.Size, im.entry.Modified
			if im.refused == nil {
				im.refused = im.entry.Refused
			}
			if im.refused == nil {
				im.refused = v.naming.refusal(im.Name)
			}
			var err error
			if im.input, err = v.identify(ctx, im, holder); err != nil {
				v.log.Warn("cannot read an image; it is tried again", "file", im.Path, "error", err)
				im.input = identifyByMetadata(im)
			}
			batch[i].id = im.input.ID(v.naming.recipe(im.Name))
			return context.Cause(ctx)
		})
	}
	return n, group.Wait()
}

// knownVersions returns the validators that the ledger has of the images of a batch that web servers are asked about,
// by their paths. It proves them: a worker that makes one up cannot have an image taken for unchanged.
func (v *Ventilator) knownVersions(ctx context.Context, batch []candidate) (map[string]string, error) {
	if v.walkClient == nil || v.cfg.Force || v.cfg.Checksum {
		return nil, nil
	}
	byOutput := make(map[string]*image)
	for i := range batch {
		if im := &batch[i].image; source.IsURL(im.Path) && im.refused == nil {
			byOutput[v.naming.outputs(im.Name)[0]] = im
		}
	}
	if len(byOutput) == 0 {
		return nil, nil
	}
	owners, err := untilAnswered(ctx, v, func(ctx context.Context) ([]wire.Owner, error) {
		return v.walkClient.Owners(ctx, slices.Sorted(maps.Keys(byOutput)))
	})
	if isRefusal(err) {
		return nil, nil // a sink of an earlier version
	}
	known := make(map[string]string)
	for _, owner := range owners {
		im := byOutput[owner.Output]
		if im == nil || owner.Version == "" {
			continue
		}
		input := taskid.InputOfVersion(im.entry.Name, source.KnownVersion(im.entry, owner.Version))
		if input.ID(owner.Recipe).String() == owner.ID {
			known[im.Path] = owner.Version
		}
	}
	return known, err
}

// identify returns what tells the content of an image from another. What it had to fetch for that, holder holds.
func (v *Ventilator) identify(ctx context.Context, im *image, holder *source.Holder) (taskid.Input, error) {
	if !v.cfg.Checksum || im.entry.Refused != nil {
		return identifyByMetadata(im), nil
	}
	sum, err := source.Digest(ctx, im.source, &im.entry, holder)
	if err != nil {
		return "", err
	}
	return taskid.InputOfDigest(im.entry.Name, sum), nil
}

func identifyByMetadata(im *image) taskid.Input {
	if im.entry.Version != "" {
		return taskid.InputOfVersion(im.entry.Name, im.entry.Version)
	}
	return taskid.InputOfMetadata(im.entry.Name, im.Size, im.Modified)
}

// lookUp asks the sink which images of the batch are settled already, and of the others which variants it knows, unless
// everything is to be made again. Then it reserves the outputs of those that are due. It waits until the sink answers
// or refuses.
func (v *Ventilator) lookUp(ctx context.Context, batch []candidate) error {
	if v.walkClient == nil {
		return nil
	}
	if v.cfg.Force {
		return v.reserve(ctx, batch)
	}
	ids := make([]taskid.ID, len(batch))
	index := make(map[string]int, len(batch))
	for i, c := range batch {
		ids[i] = c.id
		index[c.id.String()] = i
	}
	receipts, err := untilAnswered(ctx, v, func(ctx context.Context) (wire.Receipts, error) {
		return v.walkClient.Settled(ctx, ids, true)
	})
	if err != nil {
		return err
	}
	for _, r := range receipts.Receipts {
		if i, ok := index[r.ID]; ok {
			batch[i].earlier = &r
		}
	}
	if err := v.lookUpVariants(ctx, batch); err != nil {
		return err
	}
	return v.reserve(ctx, batch)
}
