package bottleneck

import (
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// worker is one of 4 slots that was up for so many seconds and had so many slot seconds without a task.
func worker(name string, up, idle float64) wire.WorkerStatus {
	w := wire.WorkerStatus{Since: start, LastSeen: start}
	w.Worker, w.Slots = name, 4
	w.UpUS, w.IdleUS = int64(up*1e6), int64(idle*1e6)
	w.Busy = 4
	return w
}

// running is a run with 1000 of 5000 images done, and so many handed out.
func running(leased int64) wire.Run {
	return wire.Run{ID: "r", State: "running", Started: start, Total: 5000, Found: 3000, Done: 1000,
		Leased: leased, Pending: 2000 - leased, Peers: 1}
}

func over(state outcome.RunState, found, done int64) wire.Run {
	return wire.Run{ID: "r", State: state, Started: start, Ended: start.Add(time.Minute), Total: found, Found: found,
		Done: done}
}

func status(trouble string, runs []wire.Run, workers ...wire.WorkerStatus) *wire.Status {
	return &wire.Status{Instance: "a", Trouble: trouble, Runs: runs, Workers: workers}
}

func TestFindNamesTheBottleneck(t *testing.T) {
	lost := worker("b", 100, 0)
	lost.Lost = true
	decoding := status("", []wire.Run{running(8)}, worker("a", 20, 1))
	decoding.Stages = wire.Timings{Decode: 900, Transform: 50, Encode: 50}
	waiting := running(0)
	waiting.Peers = 0
	paused := running(0)
	full := status("put a_thumbnail64.jpg: write: out of luck", []wire.Run{running(4)}, worker("a", 9, 9))
	full.TroubleKind = diskfault.Full
	paused.State = "paused"
	few := running(0)
	few.Total, few.Found, few.Done, few.Leased, few.Pending = 1000, 1000, 997, 3, 0
	settled := few
	settled.Done, settled.Leased = 1000, 0
	drained := over("interrupted", 130, 130)
	drained.Total = 1000
	strangers := running(2)
	strangers.Peers = 2
	justOver := status("", []wire.Run{over("finished", 10, 10)}, worker("a", 20, 0))
	justOver.Now = start.Add(time.Minute + time.Second)
	justOver.Throughput.ImagesPerSecond = 80
	longOver := *justOver
	longOver.Now = start.Add(time.Hour)
	busyStranger := status("", nil)
	busyStranger.Throughput.ImagesPerSecond = 3
	for name, c := range map[string]struct {
		now, before *wire.Status
		kind        Kind
		says        string
		bad         bool
	}{
		"nothing came yet": {status("", nil), nil, Nothing, "no run and no worker", false},
		"workers wait": {status("", nil, worker("a", 1, 1), worker("b", 1, 1)), nil, Nothing,
			"2 workers wait for a run", false},
		"one worker waits": {status("", nil, worker("a", 1, 1)), nil, Nothing, "1 worker waits for a run", false},
		"finished": {status("", []wire.Run{over("finished", 12345, 12345)}), nil, Finished,
			"all 12,345 images are accounted for", false},
		"finished with nothing": {status("", []wire.Run{over("finished", 0, 0)}), nil, Finished, "no image was found",
			false},
		"finished with one": {status("", []wire.Run{over("finished", 1, 1)}), nil, Finished,
			"the one image is accounted for", false},
		"does not balance": {status("", []wire.Run{over("finished", 10, 9)}), nil, Interrupted,
			"1 image is not accounted for", true},
		"drained": {status("", []wire.Run{drained}), nil, Interrupted, "870 images are left", true},
		"interrupted": {status("", []wire.Run{over("interrupted", 10, 4)}), nil, Interrupted, "6 images are left",
			true},
		"stalled": {status("", []wire.Run{over("stalled", 10, 4)}), nil, Interrupted,
			"stalled: 6 images are left", true},
		"paused": {status("", []wire.Run{paused}, worker("a", 9, 9)), nil, Paused, "until resume", false},
		"one of two runs paused": {status("", []wire.Run{paused, running(8)}, worker("a", 20, 2)),
			status("", nil, worker("a", 10, 2)), Compute, "compute-bound", false},
		"disk full": {full, nil, Trouble, "the sink cannot write: the disk is full", true},
		"another trouble": {status("the ledger is damaged", nil), nil, Trouble,
			"the sink cannot write: the ledger is damaged", true},
		"no workers": {status("", []wire.Run{waiting}), nil, Waiting,
			"waiting for workers: 4,000 images are left", true},
		"all workers lost": {status("", []wire.Run{waiting}, lost), nil, Waiting, "no worker is connected", true},
		"only strangers":   {status("", []wire.Run{strangers}), nil, Measuring, "2 workers that tell nothing", false},
		"settled, not yet over": {status("", []wire.Run{settled}, worker("a", 9, 9)), nil, Ending,
			"every image found is settled", false},
		"the same, workers gone": {status("", []wire.Run{settled}), nil, Ending, "every image found is settled", false},
		"the last three": {status("", []wire.Run{few}, worker("a", 20, 8)), status("", nil, worker("a", 10, 0)),
			Ending, "3 images are still at work", false},
		"just begun": {status("", []wire.Run{running(8)}, worker("a", 1, 1)), status("", nil, worker("a", 0, 0)),
			Measuring, "measuring", false},
		"a worker began again": {status("", []wire.Run{running(8)}, worker("a", 1, 1)),
			status("", nil, worker("a", 90, 80)), Measuring, "measuring", false},
		"workers busy": {status("", []wire.Run{running(8)}, worker("a", 20, 12)),
			status("", nil, worker("a", 10, 10)), Compute, "slots are busy 95 % of the time; more processors will help", false},
		"workers busy decoding": {decoding, status("", nil, worker("a", 10, 0)), Compute,
			"98 % of the time, 90 % of it decoding; more", false},
		"both wait a little": {status("", []wire.Run{running(8)}, worker("a", 20, 8)),
			status("", nil, worker("a", 10, 0)), Balanced, "workers idle 20 %", false},
		"workers starve": {status("", []wire.Run{running(2)}, worker("a", 20, 24.4)),
			status("", nil, worker("a", 10, 0)), Reading, "reading-bound: workers idle 61 %; more workers will not help", false},
		"the sink is slow": {status("", []wire.Run{running(500)}, worker("a", 20, 24)),
			status("", nil, worker("a", 10, 0)), Writing, "60 % while 500 results wait for the sink", false},
		"a lost worker's idleness does not count": {status("", []wire.Run{running(8)}, worker("a", 20, 0), lost),
			status("", nil, worker("a", 10, 0), worker("b", 1, 0)), Compute, "busy 100 %", false},
		"no earlier status": {status("", []wire.Run{running(8)}, worker("a", 20, 20)), nil, Compute,
			"busy 100 %", false},
		"another sink's status": {status("", []wire.Run{running(8)}, worker("a", 20, 20)),
			&wire.Status{Instance: "b"}, Compute, "busy 100 %", false},
		"results without any run": {busyStranger, nil, Measuring,
			"results come from workers that tell nothing", false},
		"the last second's work of a run that ended": {justOver, status("", nil, worker("a", 10, 0)), Finished,
			"all 10 images", false},
		"work without a run, long after one": {&longOver, status("", nil, worker("a", 10, 0)), Compute, "busy 100 %",
			false},
		"workers without any slot": {status("", []wire.Run{running(8)}, wire.WorkerStatus{}), nil,
			Measuring, "measuring", false},
	} {
		t.Run(name, func(t *testing.T) {
			v := Find(c.now, c.before)
			if v.Kind != c.kind || !strings.Contains(v.Text, c.says) || v.Bad != c.bad {
				t.Errorf("%s, bad %v: %q; want %s, bad %v, with %q", v.Kind, v.Bad, v.Text, c.kind, c.bad, c.says)
			}
			if strings.HasSuffix(v.Text, ".") || v.Text == "" {
				t.Errorf("%q is no sentence without a full stop", v.Text)
			}
		})
	}
}

func TestIdleShareIsOfAllSlots(t *testing.T) {
	small := worker("small", 20, 10) // one slot, always idle
	small.Slots = 1
	before := worker("small", 10, 0)
	before.Slots = 1
	v := Find(status("", []wire.Run{running(8)}, worker("big", 20, 0), small),
		status("", nil, worker("big", 10, 0), before))
	if v.Idle == nil || *v.Idle < 0.199 || *v.Idle > 0.201 {
		t.Errorf("idle %v, want 1 slot of 5", v.Idle)
	}
}
