package ventilator

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// metrics are the metrics of a ventilator; docs/OPERATIONS.md explains each. Only the run's loop may call the
// methods.
type metrics struct {
	found      prometheus.Counter
	pending    prometheus.Gauge
	leased     prometheus.Gauge
	inflight   prometheus.Gauge
	peers      prometheus.Gauge
	deliveries *prometheus.CounterVec
	blocked    *prometheus.CounterVec
	latency    prometheus.Histogram
	watched    prometheus.Gauge
	rescans    prometheus.Counter

	last   wire.Run  // counts of the last call of observe
	lastAt time.Time // time of that call; zero: none yet
}

func newMetrics(reg prometheus.Registerer) *metrics {
	const ns, sub = "imagefarm", "ventilator"
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help})
	}
	m := &metrics{
		found: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub,
			Name: "found_images_total", Help: "Images found."}),
		pending:  gauge("tasks_pending", "Unsettled tasks that no worker holds."),
		leased:   gauge("tasks_leased", "Tasks that workers hold."),
		inflight: gauge("inflight_bytes", "Bytes of images that are read and not yet sent."),
		peers:    gauge("peers", "Connected workers."),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub,
			Name: "deliveries_total", Help: "Deliveries of tasks to workers."}, []string{"kind"}),
		blocked: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub,
			Name: "blocked_seconds_total", Help: "Time during which no task could be sent."}, []string{"on"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "settle_duration_seconds", Help: "Time from finding an image to the receipt of its task.",
			Buckets: telemetry.Buckets()}),
	}
	m.watched = gauge("watched_directories", "Directories of which the operating system reports changes.")
	m.rescans = prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "rescans_total",
		Help: "Looks at everything below the watched inputs."})
	for _, kind := range []dispatch.Kind{dispatch.First, dispatch.Redelivery, dispatch.Speculative} {
		m.deliveries.WithLabelValues(string(kind))
	}
	for _, on := range []string{"workers", "bytes", "read"} {
		m.blocked.WithLabelValues(on)
	}
	reg.MustRegister(m.found, m.pending, m.leased, m.inflight, m.peers, m.deliveries, m.blocked, m.latency, m.watched,
		m.rescans)
	return m
}

// delivered counts a delivery.
func (m *metrics) delivered(kind dispatch.Kind) { m.deliveries.WithLabelValues(string(kind)).Inc() }

// rescanned counts a look at all inputs. Any goroutine may call it.
func (m *metrics) rescanned(directories int) {
	m.rescans.Inc()
	m.watched.Set(float64(directories))
}

// settledAfter records the time from finding an image to its receipt.
func (m *metrics) settledAfter(d time.Duration) { m.latency.Observe(d.Seconds()) }

// observe updates the metrics from the counts of the run. on names what tasks have waited for since the last call;
// empty: nothing.
func (m *metrics) observe(run *wire.Run, inflight int64, on string) {
	now := time.Now()
	m.found.Add(max(0, float64(run.Found-m.last.Found)))
	m.pending.Set(float64(run.Pending))
	m.leased.Set(float64(run.Leased))
	m.inflight.Set(float64(inflight))
	m.peers.Set(float64(run.Peers))
	if on != "" && !m.lastAt.IsZero() {
		m.blocked.WithLabelValues(on).Add(now.Sub(m.lastAt).Seconds())
	}
	m.last, m.lastAt = *run, now
}
