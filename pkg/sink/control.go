package sink

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// control answers control calls.
type control struct {
	*core
	settler settler
	owners  *runOwners
	local   bool // only the user of this process, and root, can call: they may name files
}

// answer answers one control call.
func (c *control) answer(ctx context.Context, message zsock.Message) zsock.Message {
	value, err := c.call(ctx, message)
	if err != nil && ctx.Err() != nil {
		return nil // the sink stops or the caller has gone; an error would look like a refusal
	}
	if err != nil {
		return zsock.Message{wire.EncodeError(err)}
	}
	return zsock.Message{wire.EncodeReply(value)}
}

func (c *control) call(ctx context.Context, message zsock.Message) (any, error) {
	if len(message) != 1 {
		return nil, fmt.Errorf("a request has 1 frame, this has %d", len(message))
	}
	req, err := wire.DecodeRequest(message[0])
	if err != nil {
		return nil, err
	}
	if err := authorize(ctx, req.Op); err != nil {
		return nil, err
	}
	switch req.Op {
	case wire.OpStatus:
		return withArgs(req, func(a *wire.StatusArgs) (any, error) { return c.statusPage(a.After), nil })
	case wire.OpSettled:
		return withArgs(req, func(a *wire.SettledArgs) (any, error) { return c.settler.settled(ctx, a) })
	case wire.OpSettle:
		return withArgs(req, func(r *wire.Receipts) (any, error) { return c.settler.settle(ctx, r) })
	case wire.OpRun:
		return withArgs(req, func(run *wire.RunReport) (any, error) {
			if err := c.owners.claim(ctx, run.ID); err != nil {
				return nil, err
			}
			return c.updateRun(run, caller{zsock.AccountOf(ctx), zsock.GoneOf(ctx)})
		})
	case wire.OpSteer:
		return withArgs(req, func(want *wire.Steering) (any, error) {
			return &wire.Steering{Run: want.Run, State: want.State}, c.steer(*want)
		})
	case wire.OpEntries:
		return withArgs(req, func(a *wire.EntriesArgs) (any, error) { return c.reader().Entries(ctx, *a) })
	case wire.OpRetry:
		return withArgs(req, func(a *wire.EntriesArgs) (any, error) {
			n, err := c.reader().Retry(ctx, *a)
			return &wire.Count{Count: n}, err
		})
	case wire.OpAck:
		return withArgs(req, func(a *wire.EntriesArgs) (any, error) {
			n, err := c.reader().Acknowledge(ctx, *a)
			return &wire.Count{Count: n}, err
		})
	case wire.OpOwners:
		return withArgs(req, func(a *wire.OwnersArgs) (any, error) { return c.reader().owners(a) })
	case wire.OpVariants:
		return withArgs(req, func(a *wire.VariantsArgs) (any, error) { return c.settler.variants(ctx, a) })
	case wire.OpReserve:
		return withArgs(req, func(a *wire.VariantsArgs) (any, error) { return c.settler.reserve(ctx, a) })
	case wire.OpBackup:
		return withArgs(req, func(a *wire.BackupArgs) (any, error) { return c.backup(ctx, a) })
	case wire.OpRuns:
		return withArgs(req, func(a *wire.RunsArgs) (any, error) { return c.runsPage(a.After) })
	}
	return nil, fmt.Errorf("unknown call %q", req.Op)
}

func withArgs[T any](req *wire.Request, do func(*T) (any, error)) (any, error) {
	args := new(T)
	if err := wire.DecodeRaw(req.Args, args); err != nil {
		return nil, err
	}
	return do(args)
}

// backup copies the ledger to a file that the caller names.
func (c *control) backup(ctx context.Context, args *wire.BackupArgs) (any, error) {
	if !c.local {
		return nil, errors.New("a backup is made only for callers at the socket beside the ledger: " +
			"call as the sink's user, on its machine, with --out or --ledger")
	}
	if !filepath.IsAbs(args.Path) {
		return nil, fmt.Errorf("cannot back up the ledger to %q: the path must be absolute", args.Path)
	}
	size, err := c.reader().Backup(ctx, args.Path)
	if err != nil {
		return nil, err
	}
	c.log.Info("backed up the ledger", "to", args.Path, "bytes", size)
	return &wire.Backup{Size: size}, nil
}

// allRuns returns the runs of the ledger, newest first, with the last counts of the live ones. A run without a
// recorded end was interrupted, unless its ventilator has called since the sink was started, or may still be about
// to.
func (c *control) allRuns() ([]wire.Run, error) {
	justStarted := time.Since(c.state.started()) <= runTimeout
	live := make(map[string]wire.Run)
	for _, r := range c.runs.list() {
		live[r.ID] = r
	}
	runs, err := c.reader().runs(func(id string) bool { return justStarted || live[id].ID != "" })
	for i := range runs {
		if r, ok := live[runs[i].ID]; ok {
			runs[i] = r
		}
	}
	return runs, err
}

// updateRun takes a ventilator's counts, publishes them, and returns what an operator asks of the run.
func (c *control) updateRun(report *wire.RunReport, from caller) (any, error) {
	run := &report.Run
	if err := run.Check(); err != nil {
		return nil, err
	}
	now := time.Now()
	ticketKey, continued, err := c.authorizeRun(run.ID, report.Key, from.account, now)
	if err != nil {
		return nil, err
	}
	if c.runs.ended(run) {
		if run.Ended.IsZero() {
			return nil, fmt.Errorf("run %.40q has ended; one that begins again has another start", run.ID)
		}
		return &wire.Steering{Run: run.ID, State: outcome.Running, Instance: c.instance}, nil
	}
	if err := c.runs.admit(run, from, now); err != nil {
		return nil, err
	}
	want, topics, started := c.runs.update(*run, from, now)
	c.runs.setKey(run.ID, ticketKey, continued)
	if started {
		c.failures.forget(run.ID)
	}
	if !run.Ended.IsZero() {
		c.reserved.end(run.ID)
	}
	for _, topic := range topics {
		if topic != wire.TopicRunProgress {
			c.peerLog.Info(topic, "run", run.ID, "found", run.Found, "done", run.Done, "skipped", run.Skipped,
				"rejected", run.Rejected, "dead", run.Dead)
		}
		if c.runs.recordDue(run, now) {
			c.recordRun(*run)
		}
		c.publish(topic, run)
		if topic == wire.TopicRunFinished {
			c.sealWhenIdle()
		}
	}
	trouble, _ := c.trouble()
	return &wire.Steering{Run: run.ID, State: want, Instance: c.instance,
		Workers: c.state.throughput(time.Now()).Workers, Trouble: trouble}, nil
}

// steer passes on what an operator asks of a run, or of all live ones when want names none.
func (c *control) steer(want wire.Steering) error {
	if !want.State.Steers() {
		return fmt.Errorf("state %.40q: it is running, paused or cancelled", want.State)
	}
	steered := c.runs.steer(want)
	if len(steered) == 0 {
		return errors.New("no such run is live")
	}
	for i := range steered {
		c.publish(wire.TopicRunState, &steered[i])
	}
	return nil
}
