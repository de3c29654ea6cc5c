package ventilator

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"github.com/imagefarm/imagefarm/pkg/outcome"
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
func (v *Ventilator) feed(ctx context.Context, out chan<- []candidate) error {
	if err := v.checkOwners(ctx); err != nil {
		return err
	}
	canonical := v.cfg.Recipe.String()
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
		id, err := v.identify(im, canonical)
		if err != nil {
			v.log.Warn("cannot read an image; it is tried again", "file", im.Path, "error", err)
			id = taskid.FromMetadata(im.Name, im.Size, im.Modified, canonical)
		}
		if batch = append(batch, candidate{image: im, id: id}); len(batch) < size {
			return nil
		}
		return flush()
	}, func(path string, err error) {
		v.unreadable.Add(1)
		v.log.Warn("cannot look at a file or directory; it is left out", "path", path, "error", err)
	})
	if err != nil {
		return err
	}
	return flush()
}

func (v *Ventilator) identify(im image, canonical string) (taskid.ID, error) {
	if !v.cfg.Checksum {
		return taskid.FromMetadata(im.Name, im.Size, im.Modified, canonical), nil
	}
	file, err := os.Open(im.Path)
	if err != nil {
		return taskid.ID{}, err
	}
	defer file.Close()
	digest := sha256.New()
	if _, err := io.Copy(digest, file); err != nil { // in passing: it may be larger than any image
		return taskid.ID{}, err
	}
	return taskid.FromDigest(im.Name, [sha256.Size]byte(digest.Sum(nil)), canonical), nil
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
			o.info.Source = v.sources.of(o.path, o.name)
			message, err := v.readTask(o.path, o.name, o.info)
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
	task *dispatch.Task
	path string
	name string
	info wire.TaskInfo
}

// readTask reads the file at path straight into the message of its task.
func (v *Ventilator) readTask(path, name string, info wire.TaskInfo) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if limit := v.cfg.MaxMessage; stat.Size() > limit {
		return nil, outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", stat.Size(), limit)
	}
	buf := wire.NewTaskBuffer(v.buffers.get, name, int(stat.Size()), info)
	if _, err := io.ReadFull(file, buf.Data); err != nil {
		return nil, fmt.Errorf("%q shrank while it was read: %w", path, err)
	}
	return buf.Message, nil
}
