package ventilator

import "time"

// A worker whose lease ran out may be frozen, or its results may be lost: what it is sent next would wait for another lease,
// and after a few of those an image that is not at fault would be a dead letter. So it is doubted, and given nothing, until
// something is heard of it. A stranger, who sends no heartbeats, is given something all the same while there is nobody
// else.

// doubt notes that p is doubted, or no longer.
func (d *dispatcher) doubt(p *peer, doubted bool) {
	if p.doubted == doubted {
		return
	}
	p.doubted = doubted
	if doubted {
		d.doubts++
	} else {
		d.doubts--
	}
	d.replace(p)
}

// usable reports whether p, which has room, may be sent a task.
func (d *dispatcher) usable(p *peer) bool {
	if !p.doubted {
		return true
	}
	for _, q := range d.peers {
		if !q.doubted && !q.draining && !q.muted {
			return false
		}
	}
	return true
}

// trust takes a sign of life of the worker with that name.
func (d *dispatcher) trust(worker string) {
	if d.doubts == 0 {
		return
	}
	known := false
	for _, p := range d.peers {
		if !p.stranger && p.name == worker {
			known = true
			d.doubt(p, false)
		}
	}
	if !known { // a stranger that names itself in its results alone
		d.trustStrangers()
	}
}

// trustStrangers takes a sign of life of one of the strangers, nobody knows which.
func (d *dispatcher) trustStrangers() {
	if d.doubts == 0 {
		return
	}
	for _, p := range d.peers {
		if p.stranger {
			d.doubt(p, false)
		}
	}
}

// hear says whether the sink's events reach us. Strangers tell names, which come as events alone and cannot be asked for:
// while none would be heard, they get no tasks.
func (d *dispatcher) hear(hearing bool) {
	if d.hearing == hearing {
		return
	}
	d.hearing = hearing
	for _, p := range d.peers {
		if p.stranger {
			p.muted = !hearing
			d.replace(p)
		}
	}
}

// missedNames shortens the leases of what strangers hold, since what they named meanwhile was not heard: to that of a
// worker that sends heartbeats.
func (d *dispatcher) missedNames(now time.Time) {
	var late []*task
	for _, t := range d.alarms {
		if t.state == leased && t.missing != nil && t.wake.After(now.Add(d.cfg.Lease)) {
			late = append(late, t)
		}
	}
	for _, t := range late {
		d.alarm(t, now.Add(d.cfg.Lease))
	}
}
