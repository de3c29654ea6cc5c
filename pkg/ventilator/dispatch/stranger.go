package dispatch

import "time"

// This file settles tasks by the results of strangers.
//
// A stranger cannot echo a task's id. It reports only the names of its outputs, which the sink publishes as events. A
// task that a stranger holds is settled when all of its outputs were named. The sink cannot repeat these events.

// awaitOutputs notes which outputs a stranger is to make of t.
func (d *Dispatcher) awaitOutputs(t *Task) {
	if len(t.unnamed) > 0 {
		return
	}
	names := d.cfg.OutputNames(t.Name)
	t.unnamed = make(map[string]struct{}, len(names))
	for _, name := range names {
		t.unnamed[name] = struct{}{}
		d.awaitedOutputs[name] = t
	}
}

func (d *Dispatcher) forgetOutputs(t *Task) {
	for name := range t.unnamed {
		delete(d.awaitedOutputs, name)
	}
}

// RecordOutput takes the name of an output that a stranger reported. When it was the last output of a task,
// RecordOutput returns that task, for the caller to settle; otherwise nil.
func (d *Dispatcher) RecordOutput(name string) *Task {
	t := d.awaitedOutputs[name]
	if t == nil {
		return nil
	}
	d.clearStrangers()
	delete(d.awaitedOutputs, name)
	delete(t.unnamed, name)
	if len(t.unnamed) > 0 {
		return nil
	}
	return t
}

// EventsConnected returns the value that SetEventsConnected was last given.
func (d *Dispatcher) EventsConnected() bool { return d.eventsConnected }

// SetEventsConnected says whether the sink's events reach this run. While they do not, strangers get no tasks,
// because their results would be missed.
func (d *Dispatcher) SetEventsConnected(connected bool) {
	if d.eventsConnected == connected {
		return
	}
	d.eventsConnected = connected
	for _, p := range d.peers {
		if p.stranger {
			p.awaitsEvents = !connected
			d.updateAvailability(p)
		}
	}
}

// ShortenStrangerLeases is called after a gap in the sink's events, in which names of outputs may have been lost. It
// gives the tasks that strangers hold the shorter lease of workers that send heartbeats.
func (d *Dispatcher) ShortenStrangerLeases(now time.Time) {
	var long []*Task
	for _, t := range d.deadlines {
		if t.state == leased && t.unnamed != nil && t.deadline.After(now.Add(d.cfg.Lease)) {
			long = append(long, t)
		}
	}
	for _, t := range long {
		t.shortLease = true
		d.setDeadline(t, now.Add(d.cfg.Lease))
	}
}
