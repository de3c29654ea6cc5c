package ventilator

import (
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file settles tasks by receipts, and makes the receipts that come from the ventilator itself.

// settle settles the task of a receipt. It ignores receipts of other runs' tasks and of settled tasks.
func (l *loop) settle(r *wire.Receipt) {
	id, err := taskid.Parse(r.ID)
	if err != nil || !r.Outcome.Settled() {
		return
	}
	t := l.d.Task(id)
	if t == nil {
		return
	}
	now := time.Now()
	l.v.metrics.settledAfter(now.Sub(t.Found))
	switch r.Outcome {
	case outcome.Rejected:
		l.v.log.Warn("an image was rejected", "file", t.Path, "reason", r.Reason, "detail", r.Detail)
		l.v.cfg.Rejected(Original{Path: t.Path, Open: t.Origin.(*image).open}, *r)
	case outcome.Done:
		for _, v := range r.Refused {
			l.v.log.Warn("a variant of an image was not made", "file", t.Path, "variant", v.Variant, "reason", v.Reason,
				"detail", v.Detail)
		}
	case outcome.Dead:
		what := "an image is a dead letter: no worker could transform it"
		if !t.Sent() {
			what = "an image is a dead letter: it was never read"
		}
		l.v.log.Error(what, "file", t.Path, "detail", r.Detail, "deliveries", t.Deliveries())
	}
	l.d.Settle(r, id)
	l.replaceRefusal(t, r.Outcome)
	l.holdPlace(t, nil)
	l.lastSettled = now
}

// rejectUnsent settles a task as rejected without sending it to a worker. The dispatcher must withhold the task.
func (l *loop) rejectUnsent(t *dispatch.Task, why *outcome.Rejection) {
	r := l.v.receiptOf(t, outcome.Rejected, time.Now())
	r.Reason, r.Detail = why.Reason, why.Detail
	l.commitReceipt(t, r)
}

// receiptOf returns a receipt of t that the ventilator itself makes, for the sink to commit.
func (v *Ventilator) receiptOf(t *dispatch.Task, o outcome.Outcome, now time.Time) wire.Receipt {
	return wire.Receipt{
		ID: t.ID.String(), Run: v.cfg.Run, Source: v.sourceOf(t.Origin.(*image)), Filename: t.Name,
		Outcome: o, Detail: t.Detail(),
		Delivery: t.Deliveries(), Bytes: t.Size, At: now,
	}
}

// strangersReceipt returns the receipt of t after a stranger has named every output that t was to make. Nothing more
// is known of these outputs.
func (v *Ventilator) strangersReceipt(t *dispatch.Task, outputs []string, now time.Time) wire.Receipt {
	r := v.receiptOf(t, outcome.Done, now)
	r.Stranger, r.Detail, r.Worker = true, "", t.Holder()
	for _, name := range outputs {
		r.Outputs = append(r.Outputs, wire.OutputInfo{Name: name})
	}
	return r
}

// refusal is how an image of a run that watches was refused.
type refusal struct {
	id      taskid.ID
	outcome outcome.Outcome
}

// replaceRefusal takes back the refusal of an image that has changed since, such as a slow copy that was taken too
// early, once the image is settled again. The sink does the same with the entry of the ledger.
func (l *loop) replaceRefusal(t *dispatch.Task, is outcome.Outcome) {
	if !l.v.cfg.Watching {
		return
	}
	if before, refused := l.refused[t.Path]; refused && before.id != t.ID {
		l.d.Replaced(before.outcome)
		delete(l.refused, t.Path)
	}
	if is == outcome.Rejected || is == outcome.Dead {
		l.refused[t.Path] = refusal{t.ID, is}
	}
}
