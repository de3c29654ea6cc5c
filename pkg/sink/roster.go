package sink

import (
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// roster lists the workers that the sink has heard of. The mutex of state guards it.
type roster struct {
	workers map[string]*member // by name
	unread  time.Duration      // how long, altogether, the intake read no messages
}

// member is one worker.
type member struct {
	wire.WorkerStatus
	recent         rate
	conns          int           // open connections
	announced      bool          // a connection announced its name
	proof          string        // wire.WorkerIdentity.Proof of its open connections
	sendsHeartbeat bool          // so a short silence means that the worker is lost
	unreadWhenSeen time.Duration // roster.unread when the worker was last seen
}

// maxMembers bounds the roster, and maxUnannounced its members whose name no connection announced, because anyone can
// make up names. Beyond these bounds workers still work, but are not listed.
const (
	maxMembers     = 4096
	maxUnannounced = 256
)

// forgetAfter is how long a lost worker stays in the roster.
const forgetAfter = 10 * time.Minute

// silentWorkerTimeout is how long a worker that sends no heartbeats may be silent before it is lost.
const silentWorkerTimeout = 5 * time.Minute

// get returns the member of that name and adds it if it is new. announced says that a connection has this name. It
// returns nil when the roster is full.
func (r *roster) get(name string, announced bool, now time.Time) *member {
	if m := r.workers[name]; m != nil {
		return m
	}
	if len(r.workers) >= maxMembers || !announced && r.unannounced() >= maxUnannounced {
		if !r.forgetLost(announced) {
			return nil
		}
	}
	m := &member{announced: announced}
	m.Worker, m.Since = name, now
	r.workers[name] = m
	return m
}

func (r *roster) unannounced() (n int) {
	for _, m := range r.workers {
		if !m.announced {
			n++
		}
	}
	return n
}

// forgetLost removes the lost member that was seen least recently, and reports whether there was one. It removes
// members without a connection of their own first, and others only for an announced worker.
func (r *roster) forgetLost(announced bool) bool {
	var oldest *member
	for _, m := range r.workers {
		if !m.Lost || m.announced && !announced {
			continue
		}
		if oldest == nil || oldest.announced && !m.announced || oldest.announced == m.announced &&
			m.LastSeen.Before(oldest.LastSeen) {
			oldest = m
		}
	}
	if oldest == nil {
		return false
	}
	delete(r.workers, oldest.Worker)
	return true
}

// seenByResult notes a result of m. A worker that neither announces itself nor sends heartbeats gives no other sign
// of life.
func (m *member) seenByResult(now time.Time, unread time.Duration) {
	if m.sendsHeartbeat {
		return
	}
	m.LastSeen, m.unreadWhenSeen = now, unread
	if m.Slots == 0 {
		m.Lost = false
	}
}

// seen notes a sign of life of a worker. joined reports whether the worker is new or was lost.
func (r *roster) seen(name string, announced bool, now time.Time) (m *member, joined bool) {
	m = r.get(name, announced, now)
	if m == nil {
		return nil, false
	}
	joined = m.LastSeen.IsZero() || m.Lost
	if m.Lost {
		m.Since = now
	}
	m.LastSeen, m.unreadWhenSeen, m.Lost = now, r.unread, false
	return m, joined
}

// dropSilent marks the workers that were silent for too long as lost and returns their names. It forgets those that
// were lost long ago. Time in which the intake read no messages does not count as silence.
func (r *roster) dropSilent(timeout time.Duration, now time.Time) (lost []string) {
	for name, m := range r.workers {
		silent, limit := now.Sub(m.LastSeen)-(r.unread-m.unreadWhenSeen), timeout
		if !m.sendsHeartbeat {
			limit = silentWorkerTimeout
		}
		switch {
		case !m.Lost && silent > limit:
			m.Lost, m.Busy = true, 0
			lost = append(lost, name)
		case m.Lost && silent > forgetAfter:
			delete(r.workers, name)
		}
	}
	return lost
}

// drop marks a worker whose last connection closed as lost, and reports whether it was not lost before.
func (r *roster) drop(name string) bool {
	m := r.workers[name]
	if m == nil || m.Lost {
		return false
	}
	m.Lost, m.Busy = true, 0
	return true
}

// list returns all members, sorted by name.
func (r *roster) list(now time.Time) []wire.WorkerStatus {
	all := make([]wire.WorkerStatus, 0, len(r.workers))
	for _, m := range r.workers {
		s := m.WorkerStatus
		s.Held, s.Proof = nil, ""
		s.ImagesPerSecond = m.recent.perSecond(now)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b wire.WorkerStatus) int { return strings.Compare(a.Worker, b.Worker) })
	return all
}

// connected returns how many members are not lost.
func (r *roster) connected() (n int) {
	for _, m := range r.workers {
		if !m.Lost {
			n++
		}
	}
	return n
}
