package worker

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// metrics are a worker's; docs/OPERATIONS.md explains each.
type metrics struct {
	tasks       *prometheus.CounterVec
	rejections  *prometheus.CounterVec
	duration    prometheus.Histogram
	stages      *prometheus.HistogramVec
	inputBytes  prometheus.Counter
	outputBytes prometheus.Counter
	pixels      prometheus.Counter
	slots, busy prometheus.Gauge
	idle        prometheus.Counter
	malformed   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, slots int) *metrics {
	const ns, sub = "imagefarm", "worker"
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help})
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: name, Help: help},
			[]string{label})
	}
	m := &metrics{
		tasks:      vec("tasks_total", "Tasks answered.", "outcome"),
		rejections: vec("rejections_total", "Images rejected.", "reason"),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "task_duration_seconds",
			Help: "Time from a task's start to its result.", Buckets: telemetry.Buckets()}),
		stages: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub,
			Name: "stage_duration_seconds",
			Help: "Time in one stage of a task.", Buckets: telemetry.Buckets()}, []string{"stage"}),
		inputBytes:  counter("input_bytes_total", "Bytes of images taken."),
		outputBytes: counter("output_bytes_total", "Bytes of outputs made."),
		pixels:      counter("pixels_total", "Pixels of images done, at full size; of an animation, one frame's."),
		slots:       gauge("slots", "Concurrent transforms."),
		busy:        gauge("slots_busy", "Slots at work."),
		idle:        counter("idle_seconds_total", "Slot time without a task."),
		malformed:   counter("malformed_messages_total", "Messages that were no task."),
	}
	for _, o := range []outcome.Outcome{outcome.Done, outcome.Rejected, outcome.Failed} {
		m.tasks.WithLabelValues(string(o))
	}
	for _, r := range outcome.Reasons() {
		m.rejections.WithLabelValues(string(r))
	}
	for _, s := range []string{"decode", "transform", "encode", "write"} {
		m.stages.WithLabelValues(s)
	}
	m.slots.Set(float64(slots))
	reg.MustRegister(m.tasks, m.rejections, m.duration, m.stages, m.inputBytes, m.outputBytes, m.pixels, m.slots, m.busy,
		m.idle, m.malformed)
	return m
}

func (m *metrics) settled(r *wire.Result) {
	m.tasks.WithLabelValues(string(r.Outcome)).Inc()
	if r.Outcome == outcome.Rejected {
		m.rejections.WithLabelValues(string(r.Reason)).Inc()
	}
	seconds := func(us int64) float64 { return float64(us) / 1e6 }
	m.duration.Observe(seconds(r.Timings.Total))
	m.inputBytes.Add(float64(r.InputBytes))
	if r.Outcome != outcome.Done {
		return
	}
	m.stages.WithLabelValues("decode").Observe(seconds(r.Timings.Decode))
	m.stages.WithLabelValues("transform").Observe(seconds(r.Timings.Transform))
	m.stages.WithLabelValues("encode").Observe(seconds(r.Timings.Encode))
	if r.Stored {
		m.stages.WithLabelValues("write").Observe(seconds(r.Timings.Write))
	}
	m.pixels.Add(float64(r.Width) * float64(r.Height))
	for _, o := range r.Outputs {
		m.outputBytes.Add(float64(o.Size))
	}
}
