package dispatch

// Which peers may be sent tasks.
//
// A worker whose lease expired may be frozen, or its results may be lost. Another task sent to it would wait for
// another lease, and after a few of those an image without fault would be a dead letter. So the worker is
// unresponsive: it gets no task until it gives a sign of life. A stranger sends no heartbeats. So an unresponsive
// stranger still gets tasks while no other peer is there.

func (d *Dispatcher) setUnresponsive(p *peer, unresponsive bool) {
	if p.unresponsive == unresponsive {
		return
	}
	p.unresponsive = unresponsive
	if unresponsive {
		d.unresponsive++
	} else {
		d.unresponsive--
	}
	d.updateAvailability(p)
}

// mayBeSent reports whether p, which can take a task, may be sent one: it is responsive, or no responsive peer is
// there.
func (d *Dispatcher) mayBeSent(p *peer) bool {
	if !p.unresponsive {
		return true
	}
	for _, q := range d.peers {
		if !q.unresponsive && !q.draining && !q.awaitsEvents {
			return false
		}
	}
	return true
}

// markResponsive takes a sign of life of the worker with that name.
func (d *Dispatcher) markResponsive(worker string) {
	if d.unresponsive == 0 {
		return
	}
	known := false
	for _, p := range d.peers {
		if !p.stranger && p.name == worker {
			known = true
			d.setUnresponsive(p, false)
		}
	}
	if !known { // a stranger that gives its name only in results
		d.markStrangersResponsive()
	}
}

// markStrangersResponsive takes a sign of life of a stranger: which one is unknown.
func (d *Dispatcher) markStrangersResponsive() {
	if d.unresponsive == 0 {
		return
	}
	for _, p := range d.peers {
		if p.stranger {
			d.setUnresponsive(p, false)
		}
	}
}
