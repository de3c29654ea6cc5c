package sink

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// receiveAhead is how many messages are read from workers before they are taken.
const receiveAhead = 4 * wire.MaxBatch

// receive takes workers' messages until intake ends, and what had come by then; ctx ends with a cut alone.
func (s *Sink) receive(ctx, intake context.Context, arrived chan<- *wire.Result) {
	defer func() { s.state.setDeaf(true, time.Now()) }()
	for late := 0; ; {
		message, peer, err := s.pull.RecvFrom(intake)
		if err != nil {
			return
		}
		if intake.Err() != nil {
			if late++; late > receiveAhead {
				return // workers send on as long as there is room: the rest is delivered again
			}
		}
		if len(message) != 1 {
			s.malformed(errors.New("several frames"), peer)
			continue
		}
		m, err := wire.DecodeFromWorker(message[0])
		if err != nil {
			s.malformed(err, peer)
			continue
		}
		switch {
		case m.Heartbeat != nil:
			s.takeHeartbeat(m.Heartbeat)
		case m.BareName != "":
			s.takeName(m.BareName)
		default:
			s.publish(wire.TopicTaskAnswered, &wire.Answered{ID: m.Result.ID, Worker: m.Result.Worker, Instance: s.instance})
			if !s.passOn(ctx, m.Result, arrived) {
				return // not acknowledged: it will be delivered again
			}
		}
	}
}

// passOn gives a result to the writers, after a drain, too. While those have no room for it the sink is deaf: workers'
// heartbeats lie behind the result, and to read on would be to hold more and more. It returns false if ctx ends first.
func (s *Sink) passOn(ctx context.Context, r *wire.Result, arrived chan<- *wire.Result) bool {
	select {
	case arrived <- r:
		return true
	default:
	}
	s.state.setDeaf(true, time.Now())
	defer func() { s.state.setDeaf(false, time.Now()) }()
	select {
	case arrived <- r:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *Sink) malformed(err error, from any) {
	s.state.count(func(c *wire.Status) { c.Malformed++ })
	s.log.Warn("a message was no result", "from", from, "error", err)
}

func (s *Sink) takeHeartbeat(h *wire.Heartbeat) {
	if s.state.heartbeat(h, time.Now()) {
		s.log.Info("worker seen", "worker", h.Worker)
		s.publish(wire.TopicWorkerSeen, &wire.WorkerEvent{Worker: h.Worker})
	}
	s.publish(wire.TopicWorkerHeartbeat, h)
}

// takeName takes a stranger's bare result. Only a ventilator knows which task was to make an output of that name, so it is
// told, and comes back with a settlement when it has heard all of a task's names.
func (s *Sink) takeName(name string) {
	s.state.count(func(c *wire.Status) { c.Strangers++ })
	s.publish(wire.TopicOutput, &wire.BareName{Name: name})
}

// write writes the bytes that came with results, then passes those on to be committed.
func (s *Sink) write(ctx context.Context, arrived <-chan *wire.Result) {
	for r := range arrived {
		if r.Outcome == outcome.Failed {
			s.failed(r)
			continue
		}
		losses := s.losses.Load()
		err := s.writeOutputs(ctx, r)
		if ctx.Err() != nil {
			return // cut
		}
		if why := blob.Rejection(err); why != nil { // only this image's outputs are in trouble
			r.Outcome, r.Reason, r.Detail, r.Outputs, err = outcome.Rejected, why.Reason, why.Detail, nil, nil
		}
		w := work{receipt: receiptOf(r), result: r, losses: losses}
		if err == nil {
			w.entry, err = entryOf(&w.receipt, r)
		}
		if err != nil {
			s.giveUp(r, err)
			continue
		}
		w.weight = min(w.bytes(), maxUncommitted)
		if s.uncommitted.Acquire(ctx, w.weight) != nil {
			return // cut
		}
		select {
		case s.commits <- w:
		case <-ctx.Done():
			return
		}
	}
}

// giveUp makes of a result a failure: its outputs cannot be written.
func (s *Sink) giveUp(r *wire.Result, err error) {
	r.Outcome, r.Reason, r.Detail, r.Outputs = outcome.Failed, "", err.Error(), nil
	s.failed(r)
}

// failed publishes that a delivery failed: the farm's fault, so nothing is committed and the ventilator delivers again.
func (s *Sink) failed(r *wire.Result) {
	s.state.count(func(c *wire.Status) { c.Failed++ })
	s.log.Warn("a delivery failed", "file", r.Filename, "worker", r.Worker, "detail", r.Detail)
	receipt := receiptOf(r)
	s.failures.add(&receipt) // first: who hears the event may ask at once
	s.publish(wire.TopicTaskFailed, &receipt)
}

// writeOutputs puts the outputs whose bytes came with r where they belong. While the store cannot be used (full,
// read-only, gone) it tries again and everything behind it waits; other errors concern this result alone.
func (s *Sink) writeOutputs(ctx context.Context, r *wire.Result) error {
	begun := time.Now()
	for _, o := range r.Outputs {
		if o.Data == nil {
			continue
		}
		if err := s.insist(ctx, "outputs", func() error { return s.cfg.Out.Put(ctx, o.Name, o.Data) }); err != nil {
			return err
		}
	}
	if !r.Stored {
		r.Timings.Write = time.Since(begun).Microseconds()
	}
	return nil
}

// insist repeats do while the store cannot be used. The sink is not ready then.
func (s *Sink) insist(ctx context.Context, stage string, do func() error) error {
	st := s.state.begin(stage, time.Now())
	defer s.state.end(st)
	return blob.Insist(ctx, do, func(err error) { s.state.fails(st, err.Error()) })
}

// receiptOf is what will be said of r once it is committed.
func receiptOf(r *wire.Result) wire.Receipt {
	receipt := wire.Receipt{
		ID: canonicalID(r), Run: r.Run, Filename: r.Filename, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail,
		Worker: r.Worker, Delivery: r.Delivery, Bytes: r.InputBytes, Timings: r.Timings, At: time.Now(),
		Source: r.Source, Dropped: r.Dropped,
	}
	for _, o := range r.Outputs {
		sum := o.Sum
		if o.Data != nil { // these bytes are what is written, whatever the worker says of them
			sum = wire.Checksum(o.Data)
		}
		receipt.Outputs = append(receipt.Outputs, wire.OutputInfo{Name: o.Name, Size: o.Size, Width: o.Width, Height: o.Height, Sum: sum})
	}
	return receipt
}

// canonicalID returns the id under which r is committed. A stranger's ventilator may name its tasks as it likes, or not at
// all; the ledger wants ids of one form.
func canonicalID(r *wire.Result) string {
	if id, err := taskid.Parse(r.ID); err == nil {
		return id.String()
	}
	return taskid.FromContent(r.Filename, []byte(r.ID), r.Recipe).String()
}
