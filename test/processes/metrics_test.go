//go:build unix

package processes

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"

	dto "github.com/prometheus/client_model/go"
)

// get returns a page of a process's admin server.
func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// metrics are what a process serves, by name.
func metrics(t *testing.T, p *farmtest.Process) map[string]*dto.MetricFamily {
	t.Helper()
	status, body := get(t, p.HTTP()+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%s/metrics answers %d", p.HTTP(), status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s/metrics: %v", p.HTTP(), err)
	}
	return families
}

// metric is the sum of a counter or gauge over its labels.
func metric(t *testing.T, p *farmtest.Process, name string) (sum float64) {
	t.Helper()
	family := metrics(t, p)[name]
	if family == nil {
		t.Fatalf("%s serves no %s", p.Name, name)
	}
	for _, m := range family.GetMetric() {
		sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return sum
}

// transformed is how many tasks a worker has answered.
func transformed(t *testing.T, p *farmtest.Process) int {
	t.Helper()
	return int(metric(t, p, "imagefarm_worker_tasks_total"))
}

// awaitMetric waits until the process serves that value, by asking again and again: metrics tell nobody that they
// change.
func awaitMetric(t *testing.T, p *farmtest.Process, name string, want float64) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for metric(t, p, name) != want {
		select {
		case <-again.C:
		case <-p.Over():
			t.Fatalf("%s ended: %v", p.Name, p.Cmd.ProcessState)
		case <-deadline.C:
			t.Fatalf("%s of %s is %v, not %v, after %v", name, p.Name, metric(t, p, name), want, limit)
		}
	}
}
