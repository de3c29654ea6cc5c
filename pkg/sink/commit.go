package sink

import (
	"context"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// maxBatch and maxBatchBytes bound a group commit, in receipts and in bytes of outputs.
const (
	maxBatch      = 4096
	maxBatchBytes = 64 << 20
)

// committer commits results to the ledger, in groups, and publishes their receipts.
type committer struct {
	*core
	writers  *writers
	replaced replacements
}

// run commits the work from queue until queue is closed or ctx ends. The error says why nothing can be committed any
// more.
func (c *committer) run(ctx context.Context, queue <-chan work) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		var first work
		select {
		case <-ctx.Done():
			return nil
		case <-c.sealing:
			c.cfg.Shards.Seal()
			continue
		case w, ok := <-queue:
			if !ok {
				return nil
			}
			first = w
		}
		timer.Reset(c.cfg.GroupCommit - time.Since(first.queued))
		extend := func() { timer.Reset(c.cfg.GroupCommit) }
		batch, err := c.commitBatch(ctx, c.gather(first, queue, timer.C, extend))
		if err != nil {
			for _, w := range batch {
				if w.done != nil {
					w.done(wire.Receipt{}, err)
				}
			}
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, w := range batch {
			c.writers.uncommitted.Release(w.weight)
		}
	}
}

// gather returns the group that begins with first: what comes until over fires, which is GroupCommit after first was
// queued, and what is queued by then. While the group before it was being committed, the time for this one ran. A
// group that has all that its runs lack waits for nothing. If they lack no more than the group has, the rest is
// likely to come soon: gather calls extend, after which over fires GroupCommit later. Then they may lack half of what
// the group has, then a quarter, and so on. So a run rarely ends with two commits, one right after the other.
func (c *committer) gather(first work, queue <-chan work, over <-chan time.Time, extend func()) []work {
	var batch []work
	size, lacking := int64(0), newLacking(c.runs)
	add := func(w work) {
		size += w.bytes()
		batch = append(batch, w)
		lacking.add(&w.entry)
	}
	add(first)
	extended := 0
	for waits := true; len(batch) < maxBatch && size < maxBatchBytes; {
		select {
		case w, ok := <-queue:
			if !ok {
				return batch
			}
			add(w)
			continue
		default:
		}
		if !waits || lacking.atMost(0) {
			return batch
		}
		select {
		case w, ok := <-queue:
			if !ok {
				return batch
			}
			add(w)
		case <-over:
			if waits = lacking.atMost(int64(len(batch) >> extended)); waits {
				extended++
				extend()
			}
		}
	}
	return batch
}

// commitBatch makes the outputs durable, appends the entries to the ledger, and then publishes the receipts. It
// returns the part of the batch that did not fail, also with an error.
func (c *committer) commitBatch(ctx context.Context, batch []work) ([]work, error) {
	begun := time.Now()
	var group *shard.Group
	if c.cfg.Shards != nil {
		g, err := c.addSamples(ctx, batch)
		if err != nil {
			return batch, err
		}
		group = g
	} else {
		durable, err := c.writers.makeDurable(ctx, batch)
		if err != nil {
			return batch, err
		}
		if batch = durable; len(batch) == 0 {
			return nil, nil
		}
	}
	entries := make([]ledger.Entry, len(batch))
	for i := range batch {
		entries[i] = batch[i].entry
	}
	if err := c.replaceRefusals(entries); err != nil {
		return batch, err
	}
	var duplicate []bool
	err := c.retryDisk(ctx, "ledger", func() (err error) {
		duplicate, err = c.appendEntries(entries, group)
		return err
	})
	if err != nil {
		return batch, err
	}
	if group != nil {
		c.cfg.Shards.Committed(group)
	}
	c.metrics.commit.Observe(time.Since(begun).Seconds())
	return batch, c.publishReceipts(batch, duplicate)
}

// publishReceipts counts and publishes the receipts of a committed batch. The receipt of a duplicate is that of the
// first result of its task. A task's claim is released before its receipt is published: a worker that has heard the
// receipt and sends the result again gets a receipt of a duplicate.
func (c *committer) publishReceipts(batch []work, duplicate []bool) error {
	now := time.Now()
	for i := range batch {
		w := &batch[i]
		c.claims.release(w.claim)
		c.reserved.settle(&w.entry)
		if w.unwritten && !duplicate[i] { // an operator has just revived the task: it is due for the next run
			if _, err := c.cfg.Ledger.Revive([]taskid.ID{w.entry.ID}); err != nil {
				return err
			}
			continue
		}
		if w.entry.Unmade() { // nobody waits for more than its being committed
			w.done(w.receipt, nil)
			w.done = nil
			continue
		}
		receipt := w.receipt
		if duplicate[i] {
			first, ok, err := c.cfg.Ledger.Lookup(w.entry.ID)
			if err != nil {
				return err
			}
			if ok { // else an operator has just revived the task, and this receipt says that it was settled
				receipt = receiptOfEntry(&first)
			}
			receipt.Duplicate = true
		}
		if !receipt.Duplicate {
			c.runs.settle(receipt.Run)
		}
		c.state.countReceipt(&receipt, now)
		c.metrics.countReceipt(&receipt)
		c.publish(wire.TaskTopic(receipt.Outcome), &receipt)
		if w.done != nil {
			w.done(receipt, nil)
			w.done = nil // a later error concerns the others only
		}
	}
	return nil
}
