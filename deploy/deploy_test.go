// Package deploy checks that what watches the farm asks for metrics that the farm has.
package deploy

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// metrics are all that the roles export, with the labels of each. That they do is checked against running containers
// by test/compose, which asks Prometheus for every one of the names below that a rule or a panel uses.
var metrics = map[string][]string{
	"imagefarm_build_info": {"version", "revision", "goversion"},
	"imagefarm_codec_info": {"format", "reads", "writes"},

	"imagefarm_ventilator_found_images_total":    nil,
	"imagefarm_ventilator_tasks_pending":         nil,
	"imagefarm_ventilator_tasks_leased":          nil,
	"imagefarm_ventilator_inflight_bytes":        nil,
	"imagefarm_ventilator_deliveries_total":      {"kind"},
	"imagefarm_ventilator_blocked_seconds_total": {"on"},
	"imagefarm_ventilator_peers":                 nil,

	"imagefarm_worker_tasks_total":            {"outcome"},
	"imagefarm_worker_rejections_total":       {"reason"},
	"imagefarm_worker_task_duration_seconds":  nil,
	"imagefarm_worker_stage_duration_seconds": {"stage"},
	"imagefarm_worker_input_bytes_total":      nil,
	"imagefarm_worker_output_bytes_total":     nil,
	"imagefarm_worker_pixels_total":           nil,
	"imagefarm_worker_slots":                  nil,
	"imagefarm_worker_slots_busy":             nil,
	"imagefarm_worker_idle_seconds_total":     nil,

	"imagefarm_sink_results_total":                  {"outcome"},
	"imagefarm_sink_workers_connected":              nil,
	"imagefarm_sink_ledger_commit_duration_seconds": nil,
	"imagefarm_sink_run_images":                     {"state"},
	"imagefarm_sink_end_to_end_seconds":             nil,

	"process_resident_memory_bytes": nil,
	"process_cpu_seconds_total":     nil,
}

var (
	metricName = regexp.MustCompile(`\b(?:imagefarm[_:]|process_|go_)[a-z0-9_:]*`)
	recorded   = regexp.MustCompile(`(?m)^\s*- record: (\S+)$`)
	ruleExpr   = regexp.MustCompile(`(?m)^\s+expr: (?:>-\n((?:\s{10}.*\n)+)|(.*)\n)`)
	selector   = regexp.MustCompile(`([a-z0-9_:]+)\{([^{}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)\s*[=!]~?\s*"`)
	grouped    = regexp.MustCompile(`\bby \(([a-z_, ]+)\)`)
)

// expressions returns every PromQL expression of the rules and the dashboards by where it stands, and what the rules
// record.
func expressions(t *testing.T) (exprs map[string]string, records []string) {
	t.Helper()
	exprs = map[string]string{}
	for _, file := range glob(t, "prometheus/rules/*.yml") {
		text := read(t, file)
		found := ruleExpr.FindAllStringSubmatch(text, -1)
		if n := strings.Count(text, " expr: "); n != len(found) {
			t.Fatalf("%s has %d expressions, of which %d were understood", file, n, len(found))
		}
		for i, m := range found {
			exprs[fmt.Sprintf("%s expr %d", file, i+1)] = m[1] + m[2]
		}
		for _, m := range recorded.FindAllStringSubmatch(text, -1) {
			records = append(records, m[1])
		}
	}
	for _, file := range glob(t, "grafana/dashboards/*.json") {
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal([]byte(read(t, file)), &board); err != nil {
			t.Fatal(err)
		}
		for _, p := range board.Panels {
			for i, q := range p.Targets {
				exprs[fmt.Sprintf("%s %q query %d", file, p.Title, i+1)] = strings.ReplaceAll(q.Expr, "$__rate_interval", "1m")
			}
		}
	}
	return exprs, records
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file is %s: %v", pattern, err)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// family takes off what a histogram adds to its name.
func family(name string) string {
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if base, ok := strings.CutSuffix(name, suffix); ok {
			return base
		}
	}
	return name
}

func TestEveryExpressionAsksForWhatExists(t *testing.T) {
	exprs, records := expressions(t)
	added := []string{"job", "instance", "le"} // by Prometheus and by histograms
	for where, expr := range exprs {
		names := metricName.FindAllString(expr, -1)
		if len(names) == 0 {
			t.Errorf("%s asks for no metric: %s", where, expr)
		}
		var labels []string
		for _, name := range names {
			if slices.Contains(records, name) {
				labels = append(labels, "stage", "on")
				continue
			}
			of, known := metrics[family(name)]
			if !known {
				t.Errorf("%s: there is no metric %s", where, name)
			}
			labels = append(labels, of...)
		}
		for _, s := range selector.FindAllStringSubmatch(expr, -1) {
			for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
				if !slices.Contains(metrics[family(s[1])], m[1]) && !slices.Contains(added, m[1]) {
					t.Errorf("%s: %s has no label %s", where, s[1], m[1])
				}
			}
		}
		for _, g := range grouped.FindAllStringSubmatch(expr, -1) {
			for label := range strings.SplitSeq(g[1], ", ") {
				if !slices.Contains(labels, label) && !slices.Contains(added, label) {
					t.Errorf("%s: nothing in it has a label %s", where, label)
				}
			}
		}
	}
}

// promtool runs it, or skips where it is not installed.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("promtool is missing")
		}
		t.Skip("promtool is missing: it comes with Prometheus")
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPrometheusTakesItsConfiguration(t *testing.T) {
	promtool(t, "check", "config", "prometheus/prometheus.yml")
}

func TestRulesRecordAndAlertAsDescribed(t *testing.T) {
	promtool(t, "test", "rules", "prometheus/imagefarm_test.yml")
}

func TestEveryExpressionParses(t *testing.T) {
	exprs, _ := expressions(t)
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	type group struct {
		Name  string `json:"name"`
		Rules []rule `json:"rules"`
	}
	g := group{Name: "all"}
	for i, where := range slices.Sorted(maps.Keys(exprs)) {
		g.Rules = append(g.Rules, rule{Record: fmt.Sprintf("expr:%d", i), Expr: exprs[where]})
	}
	data, err := json.Marshal(map[string]any{"groups": []group{g}}) // JSON is YAML
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}
