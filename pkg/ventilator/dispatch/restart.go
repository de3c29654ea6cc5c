package dispatch

import (
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file recovers results that were lost when a sink ended.
//
// When a sink ends, results that it received but did not commit are lost, whether or not it had announced them. The
// workers no longer hold such tasks, so only the end of their leases would bring them back.

// SinkRestarted is called when another instance of the sink answers. It returns the tasks whose results an earlier
// instance had received; the caller asks the sink about them. Results of tasks that workers hold may have been in
// flight to that instance; RecordHeartbeat finds these tasks.
func (d *Dispatcher) SinkRestarted(before, now string) (ask []taskid.ID) {
	for _, t := range d.deadlines {
		switch {
		case t.state != leased:
		case t.resultAt != "" && t.resultAt != now:
			ask = append(ask, t.ID)
		case t.resultAt == "" && t.Held():
			t.maybeResultAt, t.omitted = before, 0
		}
	}
	return ask
}

// maxOmitted is how many heartbeats must leave a task out before its worker is taken to have sent its result. The
// first heartbeat comes with the worker's new connection to the sink, beside results that waited for that connection.
const maxOmitted = 2

// findOmitted returns the tasks whose result the worker seems to have sent to a sink that ended.
func (d *Dispatcher) findOmitted(h *wire.Heartbeat, listed []taskid.ID, now time.Time) (ask []taskid.ID) {
	for _, p := range d.peers {
		if !p.sent(h) {
			continue
		}
		for id, t := range p.held {
			if t.maybeResultAt == "" {
				continue
			}
			if slices.Contains(listed, id) {
				t.maybeResultAt = ""
			} else if t.omitted++; t.omitted == maxOmitted {
				ask = append(ask, id)
			}
		}
	}
	for _, id := range ask {
		d.ReleaseWorker(id, h.Worker, d.tasks[id].maybeResultAt, now)
	}
	return ask
}
