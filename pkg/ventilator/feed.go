package ventilator

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// candidate is a found image with its task's id.
type candidate struct {
	image
	id      taskid.ID
	earlier *wire.Receipt // settled before this run; nil: due
}

// batchMin and batchMax bound how many ids the sink is asked about at once: few at first, so that work begins soon.
const (
	batchMin = 16
	batchMax = 512
)

// feed checks whose the outputs are, then walks the inputs and sends what it finds to out, with what the sink knows of
// it, until ctx ends. It returns nil when all has been found.
func (v *Ventilator) feed(ctx context.Context, out chan<- []candidate, omit func(source.Omission)) error {
	if err := v.checkOwners(ctx); err != nil {
		return err
	}
	size := batchMin
	batch := make([]candidate, 0, size)
	flush := func() error {
		if len(batch) == 0 {
			return nil
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
	err := v.finder.walk(ctx, func(im image) error {
		if im.refused == nil {
			im.refused = v.naming.refusal(im.Name)
		}
		id, err := v.identify(ctx, &im)
		if err != nil {
			v.log.Warn("cannot read an image; it is tried again", "file", im.Path, "error", err)
			id = v.identifyByMetadata(&im)
		}
		if batch = append(batch, candidate{image: im, id: id}); len(batch) < size {
			return nil
		}
		return flush()
	}, omit)
	if err != nil {
		return err
	}
	return flush()
}

// identify returns the id of an image's task.
func (v *Ventilator) identify(ctx context.Context, im *image) (taskid.ID, error) {
	if !v.cfg.Checksum {
		return v.identifyByMetadata(im), nil
	}
	file, err := im.open(ctx)
	if err != nil {
		return taskid.ID{}, err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil { // a piece at a time: the file may be larger than memory
		return taskid.ID{}, fmt.Errorf("read %s: %w", im.Path, err)
	}
	return taskid.FromDigest(im.entry.Name, [sha256.Size]byte(digest.Sum(nil)), v.naming.recipe(im.Name)), nil
}

func (v *Ventilator) identifyByMetadata(im *image) taskid.ID {
	return taskid.FromMetadata(im.entry.Name, im.Size, im.Modified, v.naming.recipe(im.Name))
}

// lookUp fills in what the sink's ledger knows. It waits for the sink as long as it takes, but not for one that
// refuses.
func (v *Ventilator) lookUp(ctx context.Context, batch []candidate) error {
	if v.cfg.Force || v.walkClient == nil {
		return nil
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
	return nil
}

// readResult is what came of a readOrder.
type readResult struct {
	task    *dispatch.Task
	message []byte
	err     error
}

// readTasks turns tasks into messages until ctx ends.
func (v *Ventilator) readTasks(ctx context.Context, reads <-chan readOrder, done chan<- readResult) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-reads:
			o.info.Source = v.sources.of(o.image.Path, o.image.Name)
			message, err := v.readTask(ctx, o.image, o.info)
			select {
			case done <- readResult{task: o.task, message: message, err: err}:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// readOrder asks for a task's message; it repeats what the loop alone may read of the task.
type readOrder struct {
	task  *dispatch.Task
	image *image
	info  wire.TaskInfo
}

// readTask reads the image straight into the message of its task.
func (v *Ventilator) readTask(ctx context.Context, im *image, info wire.TaskInfo) ([]byte, error) {
	file, err := im.open(ctx)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if limit := v.cfg.MaxMessage; file.Size > limit {
		return nil, outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", file.Size, limit)
	}
	buf := wire.NewTaskBuffer(v.buffers.get, im.Name, int(file.Size), info)
	if _, err := io.ReadFull(file, buf.Data); err != nil {
		return nil, fmt.Errorf("%q shrank while it was read: %w", im.Path, err)
	}
	return buf.Message, nil
}
