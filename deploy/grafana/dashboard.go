// Package grafana holds the farm's dashboard: the list of its panels, and the JSON that Grafana reads, which is made
// from the list by
//
//	go test ./deploy/grafana -update
package grafana

import (
	"bytes"
	"encoding/json"
)

// panel is one picture. Its place follows from the order in the list.
type panel struct {
	kind    string // stat, timeseries or heatmap
	title   string
	about   string // what it tells, shown on hovering over the title
	unit    string // Grafana's name of a unit
	wide    int    // in 24ths of the page
	stacked bool
	max     float64 // end of the axis; 0 means as the data have it
	queries []query
}

// query is one PromQL expression and how its series are named, empty by Grafana.
type query struct{ expr, legend string }

const (
	statHeight = 4
	plotHeight = 8
	pageWidth  = 24
)

// panels returns the dashboard from the top left to the bottom right.
func panels() []panel {
	return []panel{
		{kind: "stat", title: "Images per second", unit: "short", wide: 4,
			about:   "Images settled (done, rejected or dead) per second, over the last minute.",
			queries: []query{{"imagefarm:settled_images:rate1m", ""}}},
		{kind: "stat", title: "Bytes per second", unit: "Bps", wide: 4,
			about:   "Bytes of images that all workers received per second, over the last minute.",
			queries: []query{{"imagefarm:input_bytes:rate1m", ""}}},
		{kind: "stat", title: "Settled of total", unit: "short", wide: 4,
			about:   "Settled images of the live runs, and all images found or expected.",
			queries: []query{{"imagefarm:settled_images", "settled"}, {"imagefarm:total_images", "total"}}},
		{kind: "stat", title: "Time left", unit: "s", wide: 4,
			about:   "Estimated time until the live runs end, at the speed of the last minute.",
			queries: []query{{"imagefarm:remaining_seconds", ""}}},
		{kind: "stat", title: "Workers", unit: "short", wide: 4,
			about:   "Workers that are connected to the sink.",
			queries: []query{{"sum(imagefarm_sink_workers_connected)", ""}}},
		{kind: "stat", title: "Rejected", unit: "short", wide: 4,
			about: "Rejected images and dead letters of the live runs; farm report lists them.",
			queries: []query{{`sum(imagefarm_sink_run_images{state="rejected"})`, "rejected"},
				{`sum(imagefarm_sink_run_images{state="dead"})`, "dead"}}},

		{kind: "timeseries", title: "Throughput per worker", unit: "short", wide: 12, stacked: true,
			about:   "Tasks finished per second by each worker.",
			queries: []query{{"sum by (instance) (rate(imagefarm_worker_tasks_total[$__rate_interval]))", "{{instance}}"}}},
		{kind: "timeseries", title: "Tasks pending and leased", unit: "short", wide: 12,
			about: "No worker holds a pending task: add workers while their number grows. A worker holds each leased" +
				" task.",
			queries: []query{{"sum(imagefarm_ventilator_tasks_pending)", "pending"},
				{"sum(imagefarm_ventilator_tasks_leased)", "leased"}}},

		{kind: "timeseries", title: "Bottleneck", unit: "s", wide: 12, stacked: true,
			about: "Time that all slots spend in each stage, and time that tasks wait (on …), in seconds per second." +
				" The widest band is the bottleneck.",
			queries: []query{{"imagefarm:stage_seconds:rate1m", "{{stage}}"},
				{"imagefarm:blocked_seconds:rate1m", "on {{on}}"}}},
		{kind: "timeseries", title: "Utilisation", unit: "percentunit", wide: 12, max: 1,
			about: "Share of busy slots, of the farm and of each worker.",
			queries: []query{{"imagefarm:worker_utilisation:ratio", "farm"},
				{"imagefarm_worker_slots_busy / imagefarm_worker_slots", "{{instance}}"}}},

		{kind: "timeseries", title: "Stage times", unit: "s", wide: 12,
			about: "Time of one image in each stage: half of the images take less than p50, one in twenty takes more" +
				" than p95.",
			queries: []query{
				{"histogram_quantile(0.5, sum by (le, stage) " +
					"(rate(imagefarm_worker_stage_duration_seconds_bucket[$__rate_interval])))", "{{stage}} p50"},
				{"histogram_quantile(0.95, sum by (le, stage) " +
					"(rate(imagefarm_worker_stage_duration_seconds_bucket[$__rate_interval])))", "{{stage}} p95"}}},
		{kind: "heatmap", title: "End to end", unit: "s", wide: 12,
			about:   "Distribution of the time from a task's arrival at a worker to its commit in the ledger.",
			queries: []query{{"sum by (le) (increase(imagefarm_sink_end_to_end_seconds_bucket[$__rate_interval]))", "{{le}}"}}},

		{kind: "timeseries", title: "Redeliveries and duplicates", unit: "short", wide: 12,
			about: "Redelivered tasks per second, after a loss or to idle workers at the end of a run, and duplicate" +
				" results, which are ignored.",
			queries: []query{
				{`sum by (kind) (rate(imagefarm_ventilator_deliveries_total{kind!="first"}[$__rate_interval]))`, "{{kind}}"},
				{`sum(rate(imagefarm_sink_results_total{outcome="duplicate"}[$__rate_interval]))`, "duplicate"}}},
		{kind: "timeseries", title: "Rejections by reason", unit: "short", wide: 12, stacked: true,
			about:   "Rejected images per second.",
			queries: []query{{"sum by (reason) (rate(imagefarm_worker_rejections_total[$__rate_interval])) > 0", "{{reason}}"}}},

		{kind: "timeseries", title: "Bytes in flight", unit: "bytes", wide: 8,
			about:   "Bytes of images that the ventilator has read and not yet sent to a worker.",
			queries: []query{{"sum(imagefarm_ventilator_inflight_bytes)", "in flight"}}},
		{kind: "timeseries", title: "Memory per worker", unit: "bytes", wide: 8,
			about:   "Resident memory of each worker process.",
			queries: []query{{`process_resident_memory_bytes{job="worker"}`, "{{instance}}"}}},
		{kind: "timeseries", title: "CPU per worker", unit: "short", wide: 8,
			about:   "Processor cores that each worker process uses.",
			queries: []query{{`rate(process_cpu_seconds_total{job="worker"}[$__rate_interval])`, "{{instance}}"}}},
	}
}

// object is a JSON object; encoding/json writes its keys in order, so the file is always the same.
type object = map[string]any

// Dashboard returns the JSON that Grafana provisions.
func Dashboard() ([]byte, error) {
	source := object{"type": "prometheus", "uid": "prometheus"}
	var drawn []object
	x, y, height := 0, 0, 0
	for i, p := range panels() {
		if x+p.wide > pageWidth {
			x, y = 0, y+height
		}
		height = plotHeight
		if p.kind == "stat" {
			height = statHeight
		}
		drawn = append(drawn, object{
			"id": i + 1, "type": p.kind, "title": p.title, "description": p.about, "datasource": source,
			"gridPos":     object{"x": x, "y": y, "w": p.wide, "h": height},
			"targets":     p.targets(),
			"fieldConfig": object{"defaults": p.field(), "overrides": []any{}},
			"options":     p.options(),
		})
		x += p.wide
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(object{
		"uid": "imagefarm", "title": "imagefarm", "tags": []string{"imagefarm"}, "schemaVersion": 41, "editable": false,
		"refresh": "5s", "time": object{"from": "now-15m", "to": "now"}, "timezone": "browser", "panels": drawn,
	})
	return out.Bytes(), err
}

func (p panel) targets() (targets []object) {
	for i, q := range p.queries {
		t := object{"refId": string(rune('A' + i)), "expr": q.expr, "range": p.kind != "stat", "instant": p.kind == "stat"}
		if q.legend != "" {
			t["legendFormat"] = q.legend
		}
		if p.kind == "heatmap" {
			t["format"] = "heatmap"
		}
		targets = append(targets, t)
	}
	return targets
}

func (p panel) field() object {
	f := object{"unit": p.unit, "min": 0}
	if p.max > 0 {
		f["max"] = p.max
	}
	if p.kind == "timeseries" {
		custom := object{"fillOpacity": 10, "showPoints": "never"}
		if p.stacked {
			custom["fillOpacity"] = 40
			custom["stacking"] = object{"mode": "normal"}
		}
		f["custom"] = custom
	}
	return f
}

func (p panel) options() object {
	switch p.kind {
	case "stat":
		return object{"colorMode": "none", "graphMode": "none", "reduceOptions": object{"calcs": []string{"lastNotNull"}}}
	case "heatmap":
		return object{"calculate": false, "yAxis": object{"unit": p.unit}, "tooltip": object{"mode": "single"},
			"color": object{"mode": "scheme", "scheme": "Blues"}}
	}
	return object{"legend": object{"displayMode": "list", "placement": "bottom"}, "tooltip": object{"mode": "multi"}}
}
