package dispatch

// This file decides which peers may be sent tasks.
//
// A worker whose lease expired may be frozen, or its results may be lost. Another task sent to it would wait for
// another lease, and after a few of those an image without fault would be a dead letter. So the worker is suspect: it
// gets no task until it gives a sign of life. A stranger sends no heartbeats. So a suspect stranger still gets tasks
// while no other peer is there.

func (d *Dispatcher) setSuspect(p *peer, suspect bool) {
	if p.suspect == suspect {
		return
	}
	p.suspect = suspect
	if suspect {
		d.suspects++
	} else {
		d.suspects--
	}
	d.updateAvailability(p)
}

// mayBeSent reports whether p, which can take a task, may be sent one: it is not suspect, or no other peer could take
// one.
func (d *Dispatcher) mayBeSent(p *peer) bool {
	if !p.suspect {
		return true
	}
	for _, q := range d.peers {
		if !q.suspect && !q.draining && !q.awaitsEvents {
			return false
		}
	}
	return true
}

// clearSuspect records a sign of life of the peers that match: they are no longer suspect.
func (d *Dispatcher) clearSuspect(match func(*peer) bool) {
	if d.suspects == 0 {
		return
	}
	known := false
	for _, p := range d.peers {
		if match(p) {
			known = true
			d.setSuspect(p, false)
		}
	}
	if !known { // a stranger that gives its name only in results
		d.clearStrangers()
	}
}

// clearStrangers records a sign of life of some stranger. Which one is unknown, so no stranger stays suspect.
func (d *Dispatcher) clearStrangers() {
	if d.suspects == 0 {
		return
	}
	for _, p := range d.peers {
		if p.stranger {
			d.setSuspect(p, false)
		}
	}
}
