package sink

import (
	"fmt"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// state is what the sink can tell about the farm at any moment.
type state struct {
	mu     sync.Mutex
	status wire.Status // the counters; lists are filled in when asked
	roster roster
	runs   map[string]*liveRun
	images rate
	bytes  rate
	calls  map[*diskCall]struct{} // that have not returned
	deaf   time.Time              // since when no message of a worker is read, for want of room; zero: they are
}

// liveRun is a run whose ventilator talks to us.
type liveRun struct {
	wire.Run
	heard  time.Time
	kept   time.Time        // when its record was last written to the ledger
	silent bool             // it counts as ended because its ventilator fell silent
	want   outcome.RunState // what an operator asks for: running, paused or cancelled
}

func newState(c *Config, now time.Time, instance string) *state {
	return &state{
		status: wire.Status{
			Instance: instance, Version: c.Version, Started: now, Host: c.Host, Out: c.OutPath, Ledger: c.LedgerPath,
		},
		roster: roster{workers: make(map[string]*member)},
		runs:   make(map[string]*liveRun),
		calls:  make(map[*diskCall]struct{}),
	}
}

// took counts a receipt that was committed.
func (s *state) took(r *wire.Receipt, now time.Time) {
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
	if m := s.roster.get(r.Worker, now); m != nil {
		m.worked(now, s.roster.deaf)
		m.Images++
		m.InputBytes += r.Bytes
		m.recent.add(1, now)
		m.Stranger = m.Stranger || r.Stranger
	}
}

func (s *state) count(field func(*wire.Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	field(&s.status)
}

// diskCall is something that the sink does with its disk: a write, a sync, a look. Several may be under way, each for itself: on
// a disk that is nearly full small outputs go on being written beside a large one that finds no room.
type diskCall struct {
	what  string
	since time.Time
	why   string // it was tried in vain; empty: it was not, so far
}

func (s *state) begin(what string, now time.Time) *diskCall {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &diskCall{what: what, since: now}
	s.calls[c] = struct{}{}
	return c
}

// fails notes why c was tried in vain. It is tried again.
func (s *state) fails(c *diskCall, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.why = why
}

func (s *state) end(c *diskCall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, c)
}

// stalledAfter is how long such a call may take until that is trouble. A disk that hangs gives no error; one that is busy is none.
const stalledAfter = 5 * time.Second

// trouble returns what keeps the sink from its work, for the longest time, or nothing.
func (s *state) trouble(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.troubleLocked(now)
}

func (s *state) troubleLocked(now time.Time) string {
	var first *diskCall
	for c := range s.calls {
		if (c.why != "" || now.Sub(c.since) >= stalledAfter) && (first == nil || c.since.Before(first.since)) {
			first = c
		}
	}
	switch {
	case first == nil:
		return ""
	case first.why == "":
		return fmt.Sprintf("%s: the disk has not answered since %s", first.what, first.since.Format(time.TimeOnly))
	}
	return first.why
}

// setDeaf notes that messages of workers are not read for want of room, or are again.
func (s *state) setDeaf(deaf bool, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case deaf:
		s.deaf = now
	case !s.deaf.IsZero():
		s.roster.deaf += now.Sub(s.deaf)
		s.deaf = time.Time{}
	}
}

// lose marks the workers that fell silent as lost, and returns them. While the sink is deaf nobody is silent.
func (s *state) lose(timeout time.Duration, now time.Time) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.deaf.IsZero() {
		return nil
	}
	return s.roster.lose(timeout, now)
}

// heartbeat takes a worker's word of itself; seen reports whether it is new or back.
func (s *state) heartbeat(h *wire.Heartbeat, now time.Time) (seen bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.roster.workers[h.Worker]; h.Draining && (known == nil || known.Lost) {
		if known != nil {
			known.Draining = true // the heartbeat waited in a queue until after the connection closed: the worker left
		}
		return false
	}
	m, seen := s.roster.heard(h.Worker, now)
	if m != nil {
		m.beats = true
		m.Heartbeat = *h
		m.Held, m.Returned = nil, nil
	}
	return seen
}

// throughput returns the last second's.
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

// snapshot returns the whole.
func (s *state) snapshot(now time.Time) *wire.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := s.status
	status.Now = now
	status.Throughput = s.throughputLocked(now)
	status.Workers = s.roster.list(now)
	status.Runs = s.runList()
	status.Trouble = s.troubleLocked(now)
	return &status
}

// known returns the live runs, and some that ended, of those that were heard of since the sink was started.
func (s *state) known() (runs []wire.Run, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runList(), s.status.Started
}

func (s *state) runList() []wire.Run {
	runs := make([]wire.Run, 0, len(s.runs))
	for _, r := range s.runs {
		runs = append(runs, r.Run)
	}
	sortNewestFirst(runs)
	return runs
}
