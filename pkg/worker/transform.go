package worker

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// recipes caches the recipe that was parsed last. The next task nearly always has the same.
type recipes struct {
	mu   sync.Mutex
	text string
	last recipe.Recipe
}

func (c *recipes) parse(text string) (recipe.Recipe, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.text == text && text != "" {
		return c.last, nil
	}
	r, err := recipe.ParseCanonical(text)
	if err == nil {
		c.text, c.last = text, r
	}
	return r, err
}

// transform does one task and returns its result. If the result is Stored, the outputs are written and must be made
// durable before the result is sent. Every way in which a task can end is named here.
func (w *Worker) transform(ctx context.Context, in received) *wire.Result {
	t, begun := in.task, time.Now()
	result := &wire.Result{ID: t.ID, Filename: t.Filename, ResultInfo: wire.ResultInfo{
		Worker: w.cfg.Name, Run: t.Run, Delivery: t.Delivery, Source: t.Source, Ticket: t.Ticket, Input: t.Input,
		Carried:    t.Carried,
		InputBytes: int64(len(t.Data)),
	}}
	result.Timings.Waited = begun.Sub(in.at).Microseconds()
	defer func() {
		result.Timings.Total = time.Since(begun).Microseconds()
		result.Timings.Normalize()
	}()

	what := w.cfg.Default
	if t.Recipe != "" {
		var err error
		result.Recipe = t.Recipe // the ticket is for this text
		if what, err = w.recipes.parse(t.Recipe); err != nil {
			return fail(result, err)
		}
	} else {
		result.Recipe = what.String()
	}
	if result.ID == "" { // a stranger's task: an id made of its content settles a second delivery as a duplicate
		result.ID = taskid.FromContent(t.Filename, t.Data, result.Recipe).String()
	}
	if len(t.Only) > 0 && !w.cfg.Bare { // a sink of bare names can complete nothing
		var err error
		result.Only = t.Only
		if what, err = what.Only(t.Only); err != nil {
			return fail(result, err)
		}
	}
	if t.Reference != nil {
		data, err := w.fetch(ctx, t)
		var rejection *outcome.Rejection
		switch {
		case errors.As(err, &rejection):
			return reject(result, rejection)
		case err != nil:
			return w.failFetch(result, err)
		}
		defer w.cfg.Memory.Release(data)
		t.Data, result.InputBytes = data, int64(len(data))
		begun = time.Now()
		result.Timings.Waited = begun.Sub(in.at).Microseconds()
	}
	made, err := w.transformWithFiles(ctx, t.Data, what.For(t.Filename))
	var rejection *outcome.Rejection
	switch {
	case err == nil:
	case errors.As(err, &rejection):
		if rejection.Variant == "" || len(result.Only) == 0 {
			return reject(result, rejection)
		}
		made = noneOf(what, rejection) // the other variants were made before
	default:
		return fail(result, err)
	}
	describe(result, made)
	if result.Known != nil && !t.Location {
		result.Known.Location = nil
	}
	waited := made.Stages.Waited
	result.Timings.Waited += waited.Microseconds()
	begun = begun.Add(waited)
	transformed := time.Now()
	for i, o := range made.Outputs {
		if o.Refused != nil {
			result.Refused = append(result.Refused, wire.RefusedVariant{
				Variant: o.Variant, Reason: o.Refused.Reason, Detail: wire.CutText(o.Refused.Detail, wire.MaxRefusedDetail),
			})
			continue
		}
		out := wire.Output{Name: what.Variants[i].OutputName(t.Filename), Size: int64(len(o.Data)), Width: o.Width,
			Height: o.Height, Sum: wire.Checksum(o.Data), Quality: o.Quality}
		if w.cfg.Out == nil {
			out.Data = o.Data
			result.Outputs = append(result.Outputs, out)
			continue
		}
		if err := w.store(ctx, out.Name, o.Data); err != nil {
			if why := blob.Rejection(err); why != nil {
				return reject(result, why)
			}
			return fail(result, err)
		}
		result.Outputs = append(result.Outputs, out)
	}
	if w.cfg.Out != nil {
		result.Stored = true
		result.Timings.Write = time.Since(transformed).Microseconds()
	} else if size := outputBytes(made); size > w.cfg.MaxMessage {
		return reject(result, outcome.Reject(outcome.TooLarge, "its outputs together are beyond what a message may hold"))
	}
	result.Outcome = outcome.Done
	return result
}

// transformWithFiles has the engine transform an image, again and again while too many files are open to start a
// child: neither the image nor its delivery is at fault. The worker is not ready meanwhile.
func (w *Worker) transformWithFiles(ctx context.Context, data []byte, what recipe.Recipe) (made *engine.Result,
	err error) {
	err = w.insist(ctx, "images cannot be transformed", func() error {
		made, err = w.cfg.Engine.Transform(ctx, data, what)
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			return &blob.Fault{Kind: blob.ErrUnavailable, Op: "transform images",
				Why: "too many files are open; raise the limit (ulimit -n)", Err: err}
		}
		return err
	})
	return made, err
}

// noneOf is the result of a transform that can make none of the variants that were asked for.
func noneOf(what recipe.Recipe, why *outcome.Rejection) *engine.Result {
	made := new(engine.Result)
	for _, v := range what.Variants {
		made.Outputs = append(made.Outputs, engine.Output{Variant: v.Name, Refused: why})
	}
	return made
}

func outputBytes(made *engine.Result) (n int64) {
	for _, o := range made.Outputs {
		n += int64(len(o.Data))
	}
	return n
}

func describe(r *wire.Result, made *engine.Result) {
	r.Format, r.Width, r.Height, r.Dropped = made.Format, made.Width, made.Height, made.Dropped
	r.Warnings, r.Known = made.Warnings, made.Known
	r.Timings.Decode = made.Stages.Decode.Microseconds()
	r.Timings.Transform = made.Stages.Transform.Microseconds()
	r.Timings.Encode = made.Stages.Encode.Microseconds()
}

// reject turns r into a rejection: the image is at fault.
func reject(r *wire.Result, why *outcome.Rejection) *wire.Result {
	r.Outcome, r.Reason, r.Detail, r.Outputs, r.Stored = outcome.Rejected, why.Reason, wire.CutText(why.Detail,
		wire.MaxDetail), nil, false
	return r
}

// fail turns r into a failure: the farm is at fault.
func fail(r *wire.Result, err error) *wire.Result {
	r.Outcome, r.Detail, r.Outputs, r.Stored = outcome.Failed, wire.CutText(err.Error(), wire.MaxDetail), nil, false
	return r
}
