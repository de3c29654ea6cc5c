package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// recall takes from the ledger what was shown before the sink was started again: the last images and rejections, and the
// throughput of the newest run. A ledger that cannot be read is told by those who need it; the page then begins empty.
func (d *Dashboard) recall(ctx context.Context) {
	last, err := d.cfg.Source.Last(ctx, false, maxRecent+maxRefused)
	refused, refusedErr := d.cfg.Source.Last(ctx, true, maxRefused)
	reasons, reasonsErr := d.cfg.Source.Reasons()
	runs, runsErr := d.cfg.Source.Runs(ctx)
	if err := errors.Join(err, refusedErr, reasonsErr, runsErr); err != nil {
		d.log.Debug("the page begins empty", "error", err)
		return
	}
	d.memory.recall(last, refused, reasons)
	if len(runs) == 0 || len(last) == 0 {
		return
	}
	d.asking.Lock()
	defer d.asking.Unlock()
	s := d.cfg.Source.Status()
	if err := d.past.recall(&runs[0], s, d.cfg.Source.SettledBefore); err != nil {
		d.log.Debug("the chart begins empty", "error", err)
	}
}

// recall begins with what the ledger holds. Events that came meanwhile are not taken twice.
func (m *memory) recall(last, refused []wire.Receipt, reasons map[string]uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.recalled = make(map[string]time.Time, len(last)+len(refused))
	for i := range last {
		r := &last[i]
		m.recalled[r.ID] = r.At
		if r.Outcome != outcome.Done {
			continue
		}
		m.learn(r)
		if len(m.recent) < maxRecent {
			image := recentOf(r)
			m.pinned.add(image.Name, image.At)
			m.recent = append(m.recent, image)
		}
	}
	for i := range refused {
		m.recalled[refused[i].ID] = refused[i].At
		m.refused = append(m.refused, refusedOf(&refused[i]))
	}
	for why, n := range reasons {
		m.reasons[why] += n
	}
	m.version++
}

// longestPast is the longest run whose past is made.
const longestPast = 10 * 365 * 24 * time.Hour

// recall makes the past of the newest run, from its start to its end or to now, of what the ledger counted. s is the sink's
// status now: what it counts is in the ledger already.
func (p *past) recall(run *wire.Run, s *wire.Status, settledBefore func([]time.Time) ([]uint64, error)) error {
	end := s.Now
	if !run.Ended.IsZero() {
		end = run.Ended
	}
	if run.Started.IsZero() || end.Sub(run.Started) > longestPast {
		return nil // its ventilator, a stranger, did not say when it began, or its clock is another
	}
	step := interval
	for end.Sub(run.Started) > maxPast*step {
		step *= 2
	}
	n := int(end.Sub(run.Started) / step)
	if !run.Ended.IsZero() && run.Started.Add(time.Duration(n)*step).Before(end) {
		n++ // the last point of a live run is not over yet
	}
	if n < 1 {
		return nil
	}
	times := make([]time.Time, n+1)
	for i := range times {
		times[i] = run.Started.Add(time.Duration(i) * step)
	}
	before, err := settledBefore(times)
	if err != nil {
		return err
	}
	settled := s.Done + s.Rejected + s.Dead
	*p = past{
		start: run.Started, at: times[n], step: step,
		from: settled, settled: settled, last: s.Now, version: p.version + 1,
	}
	for i := range n {
		p.rates = append(p.rates, float64(before[i+1]-before[i])/step.Seconds())
	}
	if !run.Ended.IsZero() {
		p.quiet = run.Ended
	}
	return nil
}
