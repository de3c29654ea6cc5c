package sink

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// metrics are the metrics of a sink. docs/OPERATIONS.md explains each.
type metrics struct {
	results  *prometheus.CounterVec
	commit   prometheus.Histogram
	endToEnd prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer, status func() *wire.Status) *metrics {
	const ns, sub = "imagefarm", "sink"
	m := &metrics{
		results: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "results_total",
			Help: "Results committed, or recognised as duplicates."}, []string{"outcome"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "ledger_commit_duration_seconds",
			Help: "Time to make a group of results durable.", Buckets: telemetry.Buckets()}),
		endToEnd: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub, Name: "end_to_end_seconds",
			Help: "Time from a task's arrival at a worker to its commit.", Buckets: telemetry.Buckets()}),
	}
	for _, o := range []string{"done", "rejected", "dead", "duplicate"} {
		m.results.WithLabelValues(o)
	}
	reg.MustRegister(m.results, m.commit, m.endToEnd, &collector{status: status,
		workers: prometheus.NewDesc("imagefarm_sink_workers_connected", "Workers that give signs of life.", nil, nil),
		images: prometheus.NewDesc("imagefarm_sink_run_images",
			"Images of the live runs, and of the last one when none is live.", []string{"state"}, nil),
	})
	return m
}

func (m *metrics) countReceipt(r *wire.Receipt) {
	if r.Duplicate {
		m.results.WithLabelValues("duplicate").Inc()
		return
	}
	m.results.WithLabelValues(string(r.Outcome)).Inc()
	if r.Outcome == outcome.Done {
		worked := time.Duration(r.Timings.Waited+r.Timings.Total) * time.Microsecond
		m.endToEnd.Observe((worked + time.Since(r.At)).Seconds())
	}
}

// liveOrNewest returns the live runs, or the newest run alone when none is live. runs are sorted newest first.
func liveOrNewest(runs []wire.Run) []wire.Run {
	live := slices.DeleteFunc(slices.Clone(runs), func(r wire.Run) bool { return !r.Ended.IsZero() })
	if len(live) == 0 {
		return runs[:min(1, len(runs))]
	}
	return live
}

// collector reads the status when it is scraped.
type collector struct {
	status          func() *wire.Status
	workers, images *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { ch <- c.workers; ch <- c.images }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	status := c.status()
	ch <- prometheus.MustNewConstMetric(c.workers, prometheus.GaugeValue, float64(status.Throughput.Workers))
	var sum wire.Run
	for _, r := range liveOrNewest(status.Runs) {
		sum.Total += r.Total
		sum.Found += r.Found
		sum.Done += r.Done
		sum.Skipped += r.Skipped
		sum.Rejected += r.Rejected
		sum.Dead += r.Dead
		sum.Pending += r.Pending
		sum.Leased += r.Leased
	}
	for state, n := range map[string]int64{
		"total": sum.Total, "found": sum.Found, "done": sum.Done, "skipped": sum.Skipped, "rejected": sum.Rejected,
		"dead": sum.Dead, "pending": sum.Pending, "leased": sum.Leased,
	} {
		ch <- prometheus.MustNewConstMetric(c.images, prometheus.GaugeValue, float64(n), state)
	}
}
