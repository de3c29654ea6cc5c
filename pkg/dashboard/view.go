package dashboard

import (
	"encoding/json"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bottleneck"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// view is what pages show at one moment. It never changes. The first stream that needs a part encodes it for all.
type view struct {
	status  *wire.Status
	before  *wire.Status
	verdict bottleneck.Verdict
	run     RunReply
	album   *album
	history *history
	parts   [4]part
}

// part is a piece of a view. A stream sends it again only when its version has changed.
type part struct {
	event   string
	version uint64
	encode  func() ([]byte, error)
}

// newView makes a view of s. The caller holds refreshing.
func (d *Dashboard) newView(s *wire.Status, stopping bool) *view {
	d.mu.Lock()
	prev := d.view
	d.mu.Unlock()
	v := &view{status: s, before: d.pace.before()}
	number := uint64(1)
	if prev != nil {
		v.album, v.history = prev.album, prev.history
		number = prev.parts[0].version + 1
	}
	if v.before == nil {
		v.before = s // too early for a comparison
	}
	v.verdict = bottleneck.Find(s, v.before)
	v.album = d.memory.album(v.album)
	v.history = d.past.history(v.history)
	v.run = d.runReply(v)
	state := pageState{
		RunReply: v.run,
		Stopping: stopping,
		Once:     d.cfg.EndsWithRun,
		Actions:  d.cfg.Actions != nil,
		Report:   d.cfg.Report != nil,
	}
	v.parts = [4]part{
		{"state", number, once(func() any { return state })},
		{"workers", number, once(func() any { return v.crew() })},
		{"album", v.album.version + 1, once(func() any { return v.album })},
		{"history", v.history.version + 1, once(func() any { return v.history })},
	}
	if prev != nil { // an unchanged part is not encoded again
		for i := range v.parts {
			if v.parts[i].version == prev.parts[i].version {
				v.parts[i] = prev.parts[i]
			}
		}
	}
	return v
}

func once(value func() any) func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) { return json.Marshal(value()) })
}

// RunReply answers GET /api/v1/run.
type RunReply struct {
	Sink       SinkInfo           `json:"sink"`
	Bottleneck bottleneck.Verdict `json:"bottleneck"`
	Throughput wire.Throughput    `json:"throughput"`
	Totals     Totals             `json:"totals"`
	Stages     wire.Timings       `json:"stages"`
	Workers    WorkerTotals       `json:"workers"`
	Runs       []RunInfo          `json:"runs"`
}

// SinkInfo describes the sink that answers.
type SinkInfo struct {
	Instance string    `json:"instance"`
	Version  string    `json:"version"`
	Host     string    `json:"host"`
	Out      string    `json:"out"`
	Ledger   string    `json:"ledger"`
	Started  time.Time `json:"started"`
	Now      time.Time `json:"now"`
	Trouble  string    `json:"trouble,omitempty"`
}

// Totals counts what the sink received since it started. Settled counts the entries of its ledger.
type Totals struct {
	Done       uint64 `json:"done"`
	Rejected   uint64 `json:"rejected"`
	Dead       uint64 `json:"dead"`
	Failed     uint64 `json:"failed"`
	Duplicates uint64 `json:"duplicates"`
	Strangers  uint64 `json:"strangers"`
	Malformed  uint64 `json:"malformed"`
	Settled    uint64 `json:"settled"`
}

// WorkerTotals sums up the workers that are connected, and counts those lost in the last ten minutes. A worker that
// drained before it left is not lost.
type WorkerTotals struct {
	Connected int `json:"connected"`
	Lost      int `json:"lost"`
	Slots     int `json:"slots"`
	Busy      int `json:"busy"`
}

// RunInfo is a run and its speed.
type RunInfo struct {
	wire.Run
	Unsettled int64 `json:"unsettled"`
	// WorkingSeconds is the time over which its speed is computed: see wire.Run.Working.
	WorkingSeconds float64 `json:"working_seconds"`
	// ImagesPerSecond covers the last 30 s of a live run, or the whole of a run that has ended.
	ImagesPerSecond float64 `json:"images_per_second"`
	// ETASeconds is how long the rest takes at that speed; null when unknown.
	ETASeconds *float64 `json:"eta_seconds"`
}

// pageState is the part of a view that changes each second.
type pageState struct {
	RunReply
	Stopping bool `json:"stopping"`
	Once     bool `json:"once"` // see Config.EndsWithRun
	Actions  bool `json:"actions"`
	Report   bool `json:"report"`
}

func (d *Dashboard) runReply(v *view) RunReply {
	s := v.status
	r := RunReply{
		Sink:       SinkInfo{s.Instance, s.Version, s.Host, s.Out, s.Ledger, s.Started, s.Now, s.Trouble},
		Totals:     Totals{s.Done, s.Rejected, s.Dead, s.Failed, s.Duplicates, s.Strangers, s.Malformed, s.Settled},
		Bottleneck: v.verdict, Throughput: s.Throughput, Stages: s.Stages, Runs: make([]RunInfo, 0, len(s.Runs)),
	}
	for i := range s.Workers {
		w := &s.Workers[i]
		if w.Lost {
			if !w.Left() {
				r.Workers.Lost++
			}
			continue
		}
		r.Workers.Connected++
		r.Workers.Slots += w.Slots
		r.Workers.Busy += w.Busy
	}
	for _, run := range s.Runs {
		r.Runs = append(r.Runs, d.runInfo(run, s.Now))
	}
	return r
}

func (d *Dashboard) runInfo(run wire.Run, now time.Time) RunInfo {
	info := RunInfo{Run: run, Unsettled: run.Unsettled(), WorkingSeconds: run.Working(now).Seconds()}
	if !run.Ended.IsZero() {
		info.ImagesPerSecond, _ = run.PerSecond(run.Ended)
		return info
	}
	rate, ok := d.pace.of(run.ID)
	info.ImagesPerSecond = rate
	if ok && rate > 0 && run.State != outcome.Paused {
		left := float64(max(run.Total, run.Found)-run.Found+info.Unsettled) / rate
		info.ETASeconds = &left
	}
	return info
}

// WorkersReply answers GET /api/v1/workers.
type WorkersReply struct {
	Now     time.Time    `json:"now"`
	Workers []WorkerInfo `json:"workers"`
}

// WorkerInfo is a worker with its share of the work.
type WorkerInfo struct {
	wire.WorkerStatus
	// Idle is the share of slot time without a task, over the last ten seconds or since the worker joined; null when
	// unknown.
	Idle *float64 `json:"idle"`
	// Share is its part of all images that this sink received, 0 to 1.
	Share float64 `json:"share"`
}

func (v *view) workers() []WorkerInfo {
	var images uint64
	for i := range v.status.Workers {
		images += v.status.Workers[i].Images
	}
	before := make(map[string]*wire.WorkerStatus)
	if v.before != nil {
		for i := range v.before.Workers {
			before[v.before.Workers[i].Worker] = &v.before.Workers[i]
		}
	}
	all := make([]WorkerInfo, 0, len(v.status.Workers))
	for _, w := range v.status.Workers {
		info := WorkerInfo{WorkerStatus: w, Share: float64(w.Images) / float64(max(images, 1))}
		if share, _, ok := bottleneck.WorkerIdle(&w, before[w.Worker]); ok {
			info.Idle = &share
		} else if w.UpUS > 0 && w.Slots > 0 {
			share := min(1, float64(w.IdleUS)/float64(w.UpUS)/float64(w.Slots))
			info.Idle = &share
		}
		all = append(all, info)
	}
	return all
}

// maxCrew bounds the number of workers that a page shows.
const maxCrew = 1000

// crew is the workers as sent to pages. A row holds name, slots, busy, images per second, images, share in 1/1000, idle
// in 1/1000 or −1, milliseconds since last seen, and flags.
type crew struct {
	Rows [][]any `json:"rows"`
	More int     `json:"more"` // workers left out
}

// The flags in a row.
const (
	flagLost = 1 << iota
	flagDraining
	flagStranger
	flagLeft // it drained before its connection ended
)

func (v *view) crew() crew {
	all := v.workers()
	c := crew{Rows: make([][]any, 0, min(len(all), maxCrew))}
	if len(all) > maxCrew { // connected ones first
		slices.SortStableFunc(all, func(a, b WorkerInfo) int {
			switch {
			case a.Lost == b.Lost:
				return 0
			case b.Lost:
				return -1
			}
			return 1
		})
		c.More = len(all) - maxCrew
		all = all[:maxCrew]
	}
	for i := range all {
		w := &all[i]
		idle, flags := -1, 0
		if w.Idle != nil {
			idle = int(math.Round(1000 * *w.Idle))
		}
		for flag, is := range map[int]bool{
			flagLost: w.Lost && !w.Left(), flagDraining: w.Draining && !w.Lost, flagStranger: w.Stranger, flagLeft: w.Left(),
		} {
			if is {
				flags |= flag
			}
		}
		c.Rows = append(c.Rows, []any{w.Worker, w.Slots, w.Busy, math.Round(10*w.ImagesPerSecond) / 10, w.Images,
			int(math.Round(1000 * w.Share)), idle, v.status.Now.Sub(w.LastSeen).Milliseconds(), flags})
	}
	return c
}
