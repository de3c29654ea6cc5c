package farm_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
)

var update = flag.Bool("update", false, "rewrite testdata/metrics.golden")

// What dashboards and alerts rely on: names, types, labels and their known values, all there from the start.
func TestMetricsAreThoseOfTheGolden(t *testing.T) {
	registry := prometheus.NewRegistry()
	cfg := newConfig(t, images(t, append(numbered(3), "bad")...), t.TempDir(), &echo{})
	cfg.Ventilator.Registerer, cfg.Worker.Registerer, cfg.Sink.Registerer = registry, registry, registry
	if _, err := run(t, cfg); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range families {
		line := f.GetName() + " " + strings.ToLower(f.GetType().String())
		var labels []string
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
		}
		slices.Sort(labels)
		lines = append(lines, strings.TrimSpace(line+" "+strings.Join(slices.Compact(labels), " ")))
	}
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/metrics.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the metrics are not those of %s; got:\n%s", golden, got)
	}
	done := testutil.ToFloat64(counterOf(t, registry, "imagefarm_sink_results_total", "done"))
	if done != 3 {
		t.Errorf("the sink counted %v done of 3", done)
	}
}

// counterOf returns the counter of a family whose only label has that value, as a collector.
func counterOf(t *testing.T, registry *prometheus.Registry, family, value string) prometheus.Collector {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == family && len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == value {
				c := prometheus.NewGauge(prometheus.GaugeOpts{Name: "found"})
				c.Set(m.GetCounter().GetValue())
				return c
			}
		}
	}
	t.Fatalf("no %s of %s", family, value)
	return nil
}
