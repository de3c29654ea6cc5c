package sink

import (
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// state holds the sink's view of the farm. Its methods may be called concurrently.
type state struct {
	mu          sync.Mutex
	status      wire.Status // the counters; snapshot adds the rest
	roster      roster
	images      rate
	bytes       rate
	unreadSince time.Time // since when the intake reads no messages because the writers have no room; zero: it reads
}

func newState(c *Config, now time.Time, instance string) *state {
	return &state{
		status: wire.Status{
			Instance: instance, Version: c.Version, Started: now, Host: c.Host, Out: c.OutPath, Ledger: c.LedgerPath,
		},
		roster: roster{workers: make(map[string]*member)},
	}
}

// count changes the counters with the mutex held.
func (s *state) count(change func(*wire.Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}

// countReceipt counts a committed receipt.
func (s *state) countReceipt(r *wire.Receipt, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Duplicate {
		s.status.Duplicates++
		return
	}
	switch r.Outcome {
	case outcome.Done:
		s.status.Done++
	case outcome.Rejected:
		s.status.Rejected++
	case outcome.Dead:
		s.status.Dead++
	}
	s.images.add(1, now)
	s.bytes.add(float64(r.Bytes), now)
	sum := &s.status.Stages
	sum.Waited += r.Timings.Waited
	sum.Decode += r.Timings.Decode
	sum.Transform += r.Timings.Transform
	sum.Encode += r.Timings.Encode
	sum.Write += r.Timings.Write
	sum.Total += r.Timings.Total
	if r.Worker == "" {
		return
	}
	if m := s.roster.get(r.Worker, false, now); m != nil {
		m.seenByResult(now, s.roster.unread)
		m.Images++
		m.InputBytes += r.Bytes
		m.recent.add(1, now)
		m.Stranger = m.Stranger || r.Stranger
	}
}

// setUnread notes that the intake reads no messages of workers, or reads them again.
func (s *state) setUnread(unread bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case unread:
		s.unreadSince = now
	case !s.unreadSince.IsZero():
		s.roster.unread += now.Sub(s.unreadSince)
		s.unreadSince = time.Time{}
	}
}

// dropSilent marks the silent workers as lost and returns their names. While the intake reads no messages no worker
// counts as silent.
func (s *state) dropSilent(timeout time.Duration, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.unreadSince.IsZero() {
		return nil
	}
	return s.roster.dropSilent(timeout, now)
}

// heartbeat notes a worker's heartbeat. joined reports whether the worker is new or was lost.
func (s *state) heartbeat(h *wire.Heartbeat, now time.Time) (joined bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.roster.workers[h.Worker]
	if known != nil && known.conns > 0 && known.proof != h.Proof {
		return false // the name is another worker's
	}
	if h.Draining && (known == nil || known.Lost) {
		if known != nil {
			known.Draining = true // the heartbeat was read after the connection had closed: the worker left
		}
		return false
	}
	m, joined := s.roster.seen(h.Worker, h.Proof != "", now)
	if m != nil {
		m.sendsHeartbeat = true
		m.Heartbeat = *h
		m.Held, m.Returned = nil, nil
	}
	return joined
}

// connect notes a new connection of a worker. joined reports whether the worker is new or was lost.
func (s *state) connect(w wire.WorkerIdentity, now time.Time) (joined bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	proof := w.Proof()
	if m := s.roster.workers[w.Name]; m != nil && m.conns > 0 && m.proof != proof {
		return false // the name is another worker's: this one works, and is not listed
	}
	m, joined := s.roster.seen(w.Name, true, now)
	if m != nil {
		m.proof = proof
		m.announced = true
		m.Slots = w.Slots
		m.conns++
	}
	return joined
}

// disconnect notes that a connection of a worker closed, and reports whether the worker is lost by that.
func (s *state) disconnect(w wire.WorkerIdentity) (lost bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.roster.workers[w.Name]
	if m == nil || m.proof != w.Proof() {
		return false
	}
	if m.conns--; m.conns > 0 {
		return false
	}
	m.conns = 0
	return s.roster.drop(w.Name)
}

// isAnnounced reports whether a connected worker announced this name.
func (s *state) isAnnounced(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.roster.workers[name]
	return m != nil && m.conns > 0
}

// started returns when the sink was started.
func (s *state) started() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status.Started
}

// throughput returns the work of the last second and the counts since the start.
func (s *state) throughput(now time.Time) wire.Throughput {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.throughputLocked(now)
}

func (s *state) throughputLocked(now time.Time) wire.Throughput {
	return wire.Throughput{
		ImagesPerSecond: s.images.lastSecond(now), BytesPerSecond: s.bytes.lastSecond(now),
		Done: s.status.Done, Rejected: s.status.Rejected, Dead: s.status.Dead,
		Workers: s.roster.connected(), At: now,
	}
}

// snapshot returns the counters and the workers of one moment.
func (s *state) snapshot(now time.Time) *wire.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Now = now
	status.Throughput = s.throughputLocked(now)
	status.Workers = s.roster.list(now)
	return &status
}
