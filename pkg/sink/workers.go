package sink

import (
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// roster knows the workers that this sink has heard of. The state's mutex guards it.
type roster struct {
	workers map[string]*member
	deaf    time.Duration // for how long, altogether, nobody could be heard
}

// member is one worker.
type member struct {
	wire.WorkerStatus
	recent rate
	conns  int           // open connections
	beats  bool          // it sends heartbeats, so that its silence soon means something
	deaf   time.Duration // roster.deaf when it was last seen
}

// maxMembers bounds the roster against strangers who make up names: further workers work, and are not shown.
const maxMembers = 10_000

// forgetAfter is how long a lost worker is still shown.
const forgetAfter = 10 * time.Minute

func (r *roster) get(name string, now time.Time) *member {
	if m := r.workers[name]; m != nil {
		return m
	}
	if len(r.workers) >= maxMembers {
		return nil
	}
	m := &member{}
	m.Worker, m.Since = name, now
	r.workers[name] = m
	return m
}

// strangerTimeout is how long a worker that sends no heartbeats may be silent before it counts as lost.
const strangerTimeout = 5 * time.Minute

// worked notes a result of m: the only sign of life of a worker that neither announces itself nor sends heartbeats.
func (m *member) worked(now time.Time, deaf time.Duration) {
	if m.beats {
		return
	}
	m.LastSeen, m.deaf = now, deaf
	if m.Slots == 0 {
		m.Lost = false
	}
}

// heard notes that a worker gave a sign of life; seen reports whether it was not there before.
func (r *roster) heard(name string, now time.Time) (m *member, seen bool) {
	m = r.get(name, now)
	if m == nil {
		return nil, false
	}
	seen = m.LastSeen.IsZero() || m.Lost
	if m.Lost {
		m.Since = now
	}
	m.LastSeen, m.deaf, m.Lost = now, r.deaf, false
	return m, seen
}

// lose marks the workers that were silent for too long and forgets those long lost; it returns the newly lost. The time in
// which nobody could be heard does not count.
func (r *roster) lose(timeout time.Duration, now time.Time) (lost []string) {
	for name, m := range r.workers {
		silent, limit := now.Sub(m.LastSeen)-(r.deaf-m.deaf), timeout
		if !m.beats {
			limit = strangerTimeout
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

// gone marks a worker whose last connection closed.
func (r *roster) gone(name string) bool {
	m := r.workers[name]
	if m == nil || m.Lost {
		return false
	}
	m.Lost, m.Busy = true, 0
	return true
}

func (r *roster) list(now time.Time) []wire.WorkerStatus {
	all := make([]wire.WorkerStatus, 0, len(r.workers))
	for _, m := range r.workers {
		s := m.WorkerStatus
		s.Held = nil
		s.ImagesPerSecond = m.recent.perSecond(now)
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b wire.WorkerStatus) int { return strings.Compare(a.Worker, b.Worker) })
	return all
}

func (r *roster) connected() (n int) {
	for _, m := range r.workers {
		if !m.Lost {
			n++
		}
	}
	return n
}

// rate counts events over the last ten seconds.
type rate struct {
	seconds [window]float64
	at      int64 // the unix second that seconds[at%window] counts
}

const window = 10

func (r *rate) advance(now time.Time) {
	sec := now.Unix()
	if sec < r.at || sec-r.at >= window { // the clock was set back, or nothing came for long
		clear(r.seconds[:])
		r.at = sec
		return
	}
	for r.at < sec {
		r.at++
		r.seconds[r.at%window] = 0
	}
}

func (r *rate) add(n float64, now time.Time) {
	r.advance(now)
	r.seconds[r.at%window] += n
}

// perSecond returns the mean over the whole seconds of the window, without the current one.
func (r *rate) perSecond(now time.Time) float64 {
	r.advance(now)
	sum := 0.0
	for i, n := range r.seconds {
		if int64(i) != r.at%window {
			sum += n
		}
	}
	return sum / (window - 1)
}

// lastSecond returns what was counted in the last whole second.
func (r *rate) lastSecond(now time.Time) float64 {
	r.advance(now)
	return r.seconds[(r.at+window-1)%window]
}
