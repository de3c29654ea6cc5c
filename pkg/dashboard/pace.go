package dashboard

import (
	"slices"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// paceSpan is the time over which a run's speed is measured, to estimate its end. recentSpan is the same for the idle
// share of workers, which changes faster.
const (
	paceSpan   = 30 * time.Second
	recentSpan = 10 * time.Second
	leastPace  = 2 * time.Second
)

// pace measures the speed of runs from the last statuses.
type pace struct {
	statuses []*wire.Status // the last recentSpan, oldest first
	runs     map[string][]tally
}

// tally is the number of images of a run that were settled at a time, and how long the run had worked.
type tally struct {
	at      time.Time
	worked  int64
	working time.Duration // 0: unknown, or the run has not begun
}

func (p *pace) add(s *wire.Status) {
	old := 0
	for old+1 < len(p.statuses) && s.Now.Sub(p.statuses[old+1].Now) >= recentSpan {
		old++
	}
	p.statuses = append(slices.Delete(p.statuses, 0, old), s)
	if p.runs == nil {
		p.runs = make(map[string][]tally)
	}
	live := make(map[string]bool, len(s.Runs))
	for i := range s.Runs {
		r := &s.Runs[i]
		if !r.Ended.IsZero() {
			continue
		}
		live[r.ID] = true
		tallies := p.runs[r.ID]
		old := 0
		for old+1 < len(tallies) && s.Now.Sub(tallies[old+1].at) >= paceSpan {
			old++
		}
		p.runs[r.ID] = append(
			slices.Delete(tallies, 0, old),
			tally{s.Now, r.Worked(), time.Duration(r.WorkUS) * time.Microsecond},
		)
	}
	for id := range p.runs {
		if !live[id] {
			delete(p.runs, id)
		}
	}
}

// before returns a status about recentSpan older than the last one, or nil.
func (p *pace) before() *wire.Status {
	if len(p.statuses) < 2 {
		return nil
	}
	return p.statuses[0]
}

// of returns how many images the live run settles per second of working time. ok is false when it is too early to
// tell.
func (p *pace) of(id string) (perSecond float64, ok bool) {
	t := p.runs[id]
	if len(t) < 2 {
		return 0, false
	}
	first, last := t[0], t[len(t)-1]
	span := last.at.Sub(first.at)
	if last.working > 0 {
		span = last.working - first.working
	}
	if span < leastPace {
		return 0, false
	}
	return float64(last.worked-first.worked) / span.Seconds(), true
}

// past is the throughput since the run began, in at most maxPast points. When all points are used, each pair becomes
// one.
type past struct {
	start   time.Time // of the first point
	step    time.Duration
	rates   []float64 // images a second
	from    uint64    // images settled at the end of the last point
	at      time.Time // the end of the last point
	settled uint64
	idle    time.Time // since when nothing was settled and no run was live; zero: active
	last    time.Time // of the previous status; zero: none
	version uint64
}

const maxPast = 240

// idleLimit is the time without work after which the next image begins a new past.
const idleLimit = 5 * time.Second

func (p *past) add(s *wire.Status) {
	settled := s.Done + s.Rejected + s.Dead
	last := p.last
	p.last = s.Now
	if p.step == 0 && s.Now.Sub(last) > 2*interval { // images settled before are not throughput
		last, p.from, p.settled = s.Now, settled, settled
	}
	active := settled != p.settled
	for i := range s.Runs {
		active = active || s.Runs[i].Ended.IsZero()
	}
	p.settled = settled
	switch {
	case !active && p.step == 0:
		p.from = settled
		return
	case !active && p.idle.IsZero():
		p.idle = s.Now
	case active && (p.step == 0 || !p.idle.IsZero() && s.Now.Sub(p.idle) > idleLimit):
		*p = past{start: last, at: last, step: interval, from: p.from, settled: settled, last: s.Now, version: p.version + 1}
	case active:
		p.idle = time.Time{}
	}
	if !p.idle.IsZero() {
		p.from = settled
		return
	}
	for took := s.Now.Sub(p.at); took >= p.step-interval/4; took = s.Now.Sub(p.at) {
		if len(p.rates) == maxPast {
			p.halve()
			continue
		}
		p.rates = append(p.rates, float64(settled-p.from)/max(took, p.step/2).Seconds())
		p.from, p.at = settled, s.Now
		p.version++
		return
	}
}

func (p *past) halve() {
	half := p.rates[:0]
	for pair := range slices.Chunk(p.rates, 2) {
		sum := 0.0
		for _, r := range pair {
			sum += r
		}
		half = append(half, sum/float64(len(pair)))
	}
	p.rates, p.step = half, 2*p.step
}

// history is the past as sent to pages.
type history struct {
	version uint64
	Start   int64     `json:"start"` // unix milliseconds
	Step    float64   `json:"step"`  // seconds
	Rates   []float64 `json:"rates"`
}

func (p *past) history(prev *history) *history {
	if prev != nil && prev.version == p.version {
		return prev
	}
	h := &history{version: p.version, Step: p.step.Seconds(), Rates: make([]float64, len(p.rates))}
	if p.step > 0 {
		h.Start = p.start.UnixMilli()
	}
	if n := len(p.rates); n > 0 { // the true mean step, late ticks included
		h.Step = p.at.Sub(p.start).Seconds() / float64(n)
	}
	for i, r := range p.rates {
		h.Rates[i] = float64(int64(r*100+0.5)) / 100
	}
	return h
}
