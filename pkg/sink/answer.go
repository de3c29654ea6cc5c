package sink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// answer answers one control call.
func (s *Sink) answer(ctx context.Context, message zsock.Message) zsock.Message {
	value, err := s.call(ctx, message)
	if err != nil && ctx.Err() != nil {
		return nil // the sink stops, or the asker has gone: no answer is better than one that sounds like a refusal
	}
	if err != nil {
		return zsock.Message{wire.EncodeError(err)}
	}
	return zsock.Message{wire.EncodeReply(value)}
}

func (s *Sink) call(ctx context.Context, message zsock.Message) (any, error) {
	if len(message) != 1 {
		return nil, fmt.Errorf("a request has 1 frame, this has %d", len(message))
	}
	req, err := wire.DecodeRequest(message[0])
	if err != nil {
		return nil, err
	}
	switch req.Op {
	case wire.OpStatus:
		return s.Status(), nil
	case wire.OpSettled:
		return withArgs(req, func(a *wire.SettledArgs) (any, error) { return s.settled(ctx, a) })
	case wire.OpSettle:
		return withArgs(req, func(r *wire.Receipts) (any, error) { return s.settle(ctx, r) })
	case wire.OpRun:
		return withArgs(req, s.tellRun)
	case wire.OpSteer:
		return withArgs(req, s.steer)
	case wire.OpEntries:
		return withArgs(req, func(a *wire.EntriesArgs) (any, error) { return s.book().Entries(ctx, *a) })
	case wire.OpRetry:
		return withArgs(req, func(a *wire.EntriesArgs) (any, error) {
			n, err := s.book().Retry(ctx, *a)
			return &wire.Count{Count: n}, err
		})
	case wire.OpOwners:
		return withArgs(req, s.owners)
	case wire.OpRuns:
		runs, err := s.Runs(ctx)
		return &wire.Runs{Runs: runs[:min(len(runs), wire.MaxRuns)]}, err
	}
	return nil, fmt.Errorf("unknown call %q", req.Op)
}

func (s *Sink) book() Book { return Book{Ledger: s.cfg.Ledger} }

func withArgs[T any](req *wire.Request, do func(*T) (any, error)) (any, error) {
	args := new(T)
	if err := wire.DecodeRaw(req.Args, args); err != nil {
		return nil, err
	}
	return do(args)
}

// settled answers which tasks are settled, without their outputs, and of the others which failed deliveries are remembered.
func (s *Sink) settled(ctx context.Context, args *wire.SettledArgs) (any, error) {
	if len(args.IDs) > wire.MaxBatch {
		return nil, fmt.Errorf("%d ids, at most %d", len(args.IDs), wire.MaxBatch)
	}
	ids := make([]taskid.ID, 0, len(args.IDs))
	for _, text := range args.IDs {
		id, err := taskid.Parse(text)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	reply := wire.Receipts{Instance: s.instance}
	for _, id := range ids {
		e, ok, err := s.cfg.Ledger.Lookup(id)
		if err != nil {
			return nil, err
		}
		if ok && args.Present {
			if ok, err = s.present(ctx, &e); err != nil {
				return nil, err
			}
		}
		if ok {
			e.Outputs = nil // so that as many receipts as there are ids make a message that can be decoded
			reply.Receipts = append(reply.Receipts, receiptOfEntry(&e))
		}
		// Beside a receipt, too: it may be of an earlier run.
		if f, known := s.failures.of(id.String()); known {
			reply.Failed = append(reply.Failed, f)
		}
	}
	return &reply, nil
}

// present looks whether the outputs of a done task are still there, and its own: those that a later task replaced are not. What a worker stored elsewhere cannot be looked at
// from here and counts as there; but when one of its outputs is here, the others have to be, too. While the store cannot be
// used at all nothing can be said, so that it waits: nobody wants a whole archive made again since its disk was away for a
// minute. The error is the context's cause.
func (s *Sink) present(ctx context.Context, e *ledger.Entry) (bool, error) {
	if e.Outcome != outcome.Done {
		return true, nil
	}
	if replaced, err := s.cfg.Ledger.Superseded(e); err != nil || len(replaced) > 0 {
		return false, err
	}
	elsewhere := e.Stored || e.Stranger // unless it turns out that the outputs are, or were, here
	missing := 0
	for _, o := range e.Outputs {
		var size int64
		err := s.insist(ctx, "outputs", func() (err error) {
			size, err = s.cfg.Out.Stat(o.Name)
			return err
		})
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.Is(err, fs.ErrNotExist):
			missing++
		case err != nil, o.Size > 0 && size != o.Size:
			return false, nil
		}
		if !e.Stored && o.Size > 0 { // the sink wrote it, or saw it when a stranger named it
			elsewhere = false
		}
	}
	return missing == 0 || elsewhere && missing == len(e.Outputs), nil
}

// owners answers of which images outputs were made.
func (s *Sink) owners(args *wire.OwnersArgs) (any, error) {
	if len(args.Outputs) > wire.MaxBatch {
		return nil, fmt.Errorf("%d names of outputs, at most %d", len(args.Outputs), wire.MaxBatch)
	}
	var reply wire.Owners
	if len(args.Outputs) == 0 {
		sources, complete, err := s.cfg.Ledger.Sources()
		n := min(len(sources), wire.MaxBatch)
		reply.Sources, reply.More = sources[:n], !complete || n < len(sources)
		return &reply, err
	}
	err := s.cfg.Ledger.Owners(args.Outputs, func(name string, e ledger.Entry) {
		reply.Owners = append(reply.Owners, wire.Owner{Output: name, ID: e.ID.String(), Source: e.Source, Filename: e.Filename, Run: e.Run})
	})
	return &reply, err
}

// settle commits a ventilator's own word: dead letters, images rejected before they were sent, a stranger's work.
func (s *Sink) settle(ctx context.Context, args *wire.Receipts) (any, error) {
	if len(args.Receipts) > wire.MaxBatch {
		return nil, fmt.Errorf("%d receipts, at most %d", len(args.Receipts), wire.MaxBatch)
	}
	type answer struct {
		receipt wire.Receipt
		err     error
	}
	answers := make(chan answer, len(args.Receipts))
	all := make([]work, len(args.Receipts))
	for i, r := range args.Receipts {
		if err := s.checkSettlement(&r); err != nil {
			return nil, err
		}
		r.At = time.Now()
		entry, err := entryOf(&r, nil)
		if err != nil {
			return nil, err
		}
		all[i] = work{receipt: r, entry: entry, done: func(r wire.Receipt, err error) { answers <- answer{r, err} }}
	}
	for _, w := range all {
		select {
		case s.commits <- w:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	var reply wire.Receipts
	for range args.Receipts {
		select {
		case a := <-answers:
			if a.err != nil {
				return nil, a.err
			}
			reply.Receipts = append(reply.Receipts, a.receipt)
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return &reply, nil
}

// checkSettlement refuses what no ventilator says, and looks up the sizes of outputs that a stranger only named.
func (s *Sink) checkSettlement(r *wire.Receipt) error {
	if err := wire.CheckName(r.Filename); err != nil {
		return err
	}
	switch {
	case r.Outcome == outcome.Rejected || r.Outcome == outcome.Dead:
	case r.Outcome == outcome.Done && r.Stranger:
		for i := range r.Outputs {
			if size, err := s.cfg.Out.Stat(r.Outputs[i].Name); err == nil {
				r.Outputs[i].Size = size
			}
		}
	default:
		return fmt.Errorf("%q: only a worker's result can settle a task so", r.Outcome)
	}
	return nil
}

func (s *Sink) tellRun(run *wire.Run) (any, error) {
	if run.ID == "" || len(run.ID) > wire.MaxID {
		return nil, fmt.Errorf("run %.40q: its name must have 1 to %d bytes", run.ID, wire.MaxID)
	}
	want, topics, anew := s.state.tellRun(*run, time.Now())
	if anew {
		s.failures.forget(run.ID)
	}
	for _, topic := range topics {
		if topic != wire.TopicRunProgress {
			s.log.Info(topic, "run", run.ID, "found", run.Found, "done", run.Done, "skipped", run.Skipped,
				"rejected", run.Rejected, "dead", run.Dead)
		}
		if s.state.recordDue(run, time.Now()) {
			s.keepRun(*run)
		}
		s.publish(topic, run)
	}
	now := time.Now()
	return &wire.Steering{Run: run.ID, State: want, Instance: s.instance,
		Workers: s.state.throughput(now).Workers, Trouble: s.state.trouble(now)}, nil
}

// keepRun writes a run's record to the ledger.
func (s *Sink) keepRun(run wire.Run) {
	if err := s.cfg.Ledger.PutRun(runRecord(&run)); err != nil {
		s.log.Error("a run's record could not be written", "run", run.ID, "error", err)
	}
}

func (s *Sink) steer(want *wire.Steering) (any, error) {
	if !want.State.Steers() {
		return nil, fmt.Errorf("state %q: it is running, paused or cancelled", want.State)
	}
	steered := s.state.steer(*want)
	if len(steered) == 0 {
		return nil, errors.New("no such run is live")
	}
	for i := range steered {
		s.publish(wire.TopicRunState, &steered[i])
	}
	return want, nil
}
