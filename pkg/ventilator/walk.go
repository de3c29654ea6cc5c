package ventilator

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

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
		if len(batch) == 0 {
			return nil
		}
		if err := v.identifyAll(ctx, batch); err != nil {
			return err
		}
		if err := v.lookUp(ctx, batch); err != nil {
			return err
		}
		select {
		case out <- batch:
		case <-ctx.Done():
			return context.Cause(ctx)
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

// identifyAll completes the images of a batch and computes the ids of their tasks. It reads, or asks a server about, up
// to Config.Readers images at a time.
func (v *Ventilator) identifyAll(ctx context.Context, batch []candidate) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(v.cfg.Readers)
	for i := range batch {
		group.Go(func() error {
			im := &batch[i].image
			im.entry = source.Identify(ctx, im.source, im.entry)
			im.Size, im.Modified = im.entry.Size, im.entry.Modified
			if im.refused == nil {
				im.refused = im.entry.Refused
			}
			if im.refused == nil {
				im.refused = v.naming.refusal(im.Name)
			}
			var err error
			if im.input, err = v.identify(ctx, im); err != nil {
				v.log.Warn("cannot read an image; it is tried again", "file", im.Path, "error", err)
				im.input = identifyByMetadata(im)
			}
			batch[i].id = im.input.ID(v.naming.recipe(im.Name))
			return context.Cause(ctx)
		})
	}
	return group.Wait()
}

// identify returns what tells the content of an image from another.
func (v *Ventilator) identify(ctx context.Context, im *image) (taskid.Input, error) {
	if !v.cfg.Checksum || im.entry.Refused != nil {
		return identifyByMetadata(im), nil
	}
	file, err := im.open(ctx)
	if err != nil {
		return "", err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil { // a piece at a time: the file may be larger than memory
		return "", fmt.Errorf("read %s: %w", im.Path, err)
	}
	return taskid.InputOfDigest(im.entry.Name, [sha256.Size]byte(digest.Sum(nil))), nil
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
