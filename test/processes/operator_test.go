//go:build unix

package processes

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

func TestStatusShowsRunsAndWorkers(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 6
	f.StartSink()
	f.StartWorker("w1")
	f.StartVentilator(album(t, n)).MustExit(0)

	p := f.Start("status", "farm", "status", "--json", "--control", f.Control)
	p.MustExit(0)
	var s wire.Status
	if err := json.Unmarshal([]byte(p.Output()), &s); err != nil {
		t.Fatalf("%v in %s", err, p.Output())
	}
	if s.Done != uint64(n) || s.Settled != uint64(n) || s.Out != f.Out || len(s.Runs) != 1 || len(s.Workers) != 1 {
		t.Errorf("the status is %+v", s)
	}
	if len(s.Runs) == 1 && (s.Runs[0].State != "finished" || s.Runs[0].Done != int64(n) || s.Runs[0].Unsettled() != 0) {
		t.Errorf("the run is %+v", s.Runs[0])
	}

	people := f.Start("status", "farm", "status", "--control", f.Control)
	people.MustExit(0)
	for _, text := range []string{f.Out, "6 done", "balanced", "finished", "w1"} {
		if !strings.Contains(people.Output(), text) {
			t.Errorf("%q is not in %s", text, people.Output())
		}
	}
}

func TestStatusOfNoFarmIsAFault(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	p := f.Start("status", "farm", "status", "--control", f.Control, "--timeout", "500ms")
	p.MustExit(1)
	p.MustSayLine(f.Control)
}

func TestHealthFollowsEachRole(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	health := func(url string) int {
		t.Helper()
		return f.Start("health", "farm", "health", url).Wait()
	}
	worker := f.StartWorker("w1")
	worker.Await("working")
	if code := health(worker.HTTP() + "/readyz"); code != 1 {
		t.Errorf("a worker with nobody to work for is ready: %d", code)
	}
	if code := health(worker.HTTP() + "/healthz"); code != 0 {
		t.Errorf("it is not up: %d", code)
	}
	sink := f.StartSink()
	sink.Await("collecting")
	if code := health(sink.HTTP() + "/readyz"); code != 0 {
		t.Errorf("the sink is not ready: %d", code)
	}
	ventilator := f.StartVentilator("--wait-workers", "1m", album(t, 2))
	worker.Await("connected", "to", "ventilator")
	worker.Await("connected", "to", "sink")
	if code := health(worker.HTTP()); code != 0 {
		if status, body := get(t, worker.HTTP()+"/readyz"); status != http.StatusOK {
			t.Errorf("the worker is not ready: %d %s", status, body)
		}
	}
	ventilator.MustExit(0)
	address := sink.HTTP()
	sink.Signal(syscall.SIGTERM)
	sink.MustExit(0)
	if code := health(address + "/readyz"); code != 1 {
		t.Errorf("a sink that is gone is ready: %d", code)
	}
}

// promised are the metrics of CONVENTIONS.md: a dashboard or an alert may use each, and the label values that are known
// in advance are there from the start.
var promised = map[string]map[string]string{
	"ventilator": {
		"imagefarm_ventilator_found_images_total":    "",
		"imagefarm_ventilator_tasks_pending":         "",
		"imagefarm_ventilator_tasks_leased":          "",
		"imagefarm_ventilator_inflight_bytes":        "",
		"imagefarm_ventilator_deliveries_total":      "first redelivery speculative",
		"imagefarm_ventilator_blocked_seconds_total": "workers bytes read",
		"imagefarm_ventilator_peers":                 "",
	},
	"worker": {
		"imagefarm_worker_tasks_total":            "done rejected failed",
		"imagefarm_worker_rejections_total":       "not-an-image truncated corrupt unsupported too-many-pixels timeout",
		"imagefarm_worker_task_duration_seconds":  "",
		"imagefarm_worker_stage_duration_seconds": "decode transform encode write",
		"imagefarm_worker_input_bytes_total":      "",
		"imagefarm_worker_output_bytes_total":     "",
		"imagefarm_worker_pixels_total":           "",
		"imagefarm_worker_slots":                  "",
		"imagefarm_worker_slots_busy":             "",
		"imagefarm_worker_idle_seconds_total":     "",
	},
	"sink": {
		"imagefarm_sink_results_total":                  "done rejected dead duplicate",
		"imagefarm_sink_workers_connected":              "",
		"imagefarm_sink_ledger_commit_duration_seconds": "",
		"imagefarm_sink_run_images":                     "found done skipped rejected dead pending leased",
		"imagefarm_sink_end_to_end_seconds":             "",
	},
}

func TestEveryRoleServesTheMetricsThatArePromised(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	ventilator := f.StartVentilator(album(t, 1)) // waits for a sink
	ventilator.Await("handing out tasks")
	check := func(p *farmtest.Process) {
		t.Helper()
		families := metrics(t, p)
		if families["imagefarm_build_info"] == nil || families["go_goroutines"] == nil ||
			families["process_cpu_seconds_total"] == nil {
			t.Errorf("%s serves no build, runtime or process metrics", p.Name)
		}
		for name, labels := range promised[p.Name] {
			family := families[name]
			if family == nil {
				t.Errorf("%s serves no %s", p.Name, name)
				continue
			}
			var values []string
			for _, m := range family.GetMetric() {
				for _, l := range m.GetLabel() {
					values = append(values, l.GetValue())
				}
			}
			for _, value := range strings.Fields(labels) {
				if !slices.Contains(values, value) {
					t.Errorf("%s has no series for %q from the start", name, value)
				}
			}
		}
		_, body := get(t, p.HTTP()+"/metrics")
		problems, err := promlint.New(strings.NewReader(body)).Lint()
		if err != nil {
			t.Error(err)
		}
		for _, problem := range problems {
			if strings.HasPrefix(problem.Metric, "imagefarm_") {
				t.Errorf("%s: %s", problem.Metric, problem.Text)
			}
		}
	}
	check(ventilator)
	worker := f.StartWorker("worker")
	check(worker)
	sink := f.StartSink()
	sink.Await("collecting")
	check(sink)
	ventilator.MustExit(0)
	if n := metric(t, sink, "imagefarm_sink_results_total"); n != 1 {
		t.Errorf("the sink counts %v results, not 1", n)
	}
	if n := metric(t, worker, "imagefarm_worker_pixels_total"); n != 1200*900 {
		t.Errorf("the worker counts %v pixels, not those of one image", n)
	}
}

func TestOperatorsSteerARun(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 20
	dir := album(t, n)
	f.StartSink()
	ear := f.listen()
	farm := func(args ...string) *farmtest.Process {
		t.Helper()
		return f.Start("farm "+args[0], "farm", append(args, "--control", f.Control)...)
	}
	events := f.Start("farm events", "farm", "events", "--events", f.Events, "task.done", "run.")
	f.StartWorker("w1")
	ventilator := f.StartVentilator("--variant", slow, dir)
	ear.awaitSettled(1)
	farm("pause").MustExit(0)
	ventilator.Await("an operator changed the state of the run", "state", "paused")
	workers := farm("workers")
	workers.MustExit(0)
	if !strings.Contains(workers.Output(), "w1") {
		t.Errorf("farm workers prints %q", workers.Output())
	}
	farm("resume").MustExit(0)
	ventilator.Await("an operator changed the state of the run", "state", "running")
	farm("cancel").MustExit(0)
	ventilator.MustExit(1) // a run that somebody cancelled has not ended well
	if got := accountOf(t, ventilator); got.done != got.found || got.found == 0 || got.found == n {
		t.Errorf("the cancelled run says %+v, of %d images", got, n)
	}
	events.AwaitOutput("run.finished")
	if !strings.Contains(events.Output(), "task.done") {
		t.Errorf("farm events printed %q", events.Output())
	}

	none := farm("pause")
	if code := none.Wait(); code == 0 {
		t.Error("no run is live, and one was paused")
	}
}
