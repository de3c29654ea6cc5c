package ventilator

import (
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// receiptOf returns a receipt of t that the ventilator itself makes, for the sink to commit.
func receiptOf(t *dispatch.Task, run string, o outcome.Outcome, now time.Time) wire.Receipt {
	return wire.Receipt{
		ID: t.ID.String(), Run: run, Filename: t.Name, Outcome: o, Detail: t.Detail(),
		Delivery: t.Deliveries(), Bytes: t.Size, At: now,
	}
}

// strangersReceipt returns the receipt of t after a stranger has named every output that t was to make. Nothing more is
// known of these outputs.
func strangersReceipt(t *dispatch.Task, run string, outputs []string, now time.Time) wire.Receipt {
	r := receiptOf(t, run, outcome.Done, now)
	r.Stranger, r.Detail, r.Worker = true, "", t.Holder()
	for _, name := range outputs {
		r.Outputs = append(r.Outputs, wire.OutputInfo{Name: name})
	}
	return r
}
