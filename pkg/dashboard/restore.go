package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// restore reads from the ledger what pages showed before the sink was restarted: the last images and rejections, and
// the throughput of the newest run. When the ledger cannot be read, the page starts empty.
func (d *Dashboard) restore(ctx context.Context) {
	last, err := d.cfg.Source.Last(ctx, false, maxRecent+maxRefused)
	refused, refusedErr := d.cfg.Source.Last(ctx, true, maxRefused)
	reasons, reasonsErr := d.cfg.Source.Reasons()
	runs, runsErr := d.cfg.Source.Runs(ctx)
	if err := errors.Join(err, refusedErr, reasonsErr, runsErr); err != nil {
		d.log.Debug("the page starts empty: cannot read the ledger", "error", err)
		return
	}
	d.memory.restore(last, refused, reasons)
	if len(runs) == 0 || len(last) == 0 {
		return
	}
	d.refreshing.Lock()
	defer d.refreshing.Unlock()
	s := d.cfg.Source.Status()
	if err := d.past.restore(&runs[0], s, d.cfg.Source.SettledBefore); err != nil {
		d.log.Debug("the chart starts empty: cannot read the ledger", "error", err)
	}
}

// restore adds what the ledger holds. take ignores events of the same tasks later.
func (m *memory) restore(last, refused []wire.Receipt, reasons map[string]uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.restored = make(map[string]time.Time, len(last)+len(refused))
	for i := range last {
		r := &last[i]
		m.restored[r.ID] = r.At
		if r.Outcome != outcome.Done {
			continue
		}
		m.allow(r)
		if len(m.recent) < maxRecent {
			image := recentOf(r)
			m.pinned.add(image.Name, image.At)
			m.recent = append(m.recent, image)
		}
	}
	for i := range refused {
		m.restored[refused[i].ID] = refused[i].At
		m.refused = append(m.refused, refusedOf(&refused[i]))
	}
	for why, n := range reasons {
		m.reasons[why] += n
	}
	m.version++
}

// longestPast is the longest run whose past is restored.
const longestPast = 10 * 365 * 24 * time.Hour

// restore computes the past of the newest run, from its start to its end or to now, from the ledger's counts. s is the
// sink's current status, whose counts are in the ledger already.
func (p *past) restore(run *wire.Run, s *wire.Status, settledBefore func([]time.Time) ([]uint64, error)) error {
	end := s.Now
	if !run.Ended.IsZero() {
		end = run.Ended
	}
	if run.Started.IsZero() || end.Sub(run.Started) > longestPast {
		return nil // a stranger's ventilator did not say when it began, or has another clock
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
		p.idle = run.Ended
	}
	return nil
}
