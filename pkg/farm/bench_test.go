package farm

import (
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

func TestEfficiencyIsThroughputForEachSlot(t *testing.T) {
	one := Point{Slots: 1, Images: 100, Elapsed: 10 * time.Second}
	for _, c := range []struct {
		p    Point
		want float64
	}{
		{one, 1},
		{Point{Slots: 2, Images: 100, Elapsed: 5 * time.Second}, 1},
		{Point{Slots: 4, Images: 100, Elapsed: 5 * time.Second}, 0.5},
		{Point{Slots: 4}, 0},
	} {
		if got := c.p.Efficiency(one); got < c.want-1e-9 || got > c.want+1e-9 {
			t.Errorf("%d slots: %v, want %v", c.p.Slots, got, c.want)
		}
	}
	if got := one.Efficiency(Point{Slots: 1}); got != 0 {
		t.Errorf("beside a farm that did nothing: %v", got)
	}
}

// at is the status of a farm with one worker of 2 slots after so many seconds, idle for a share of them.
func at(seconds, idle float64) *wire.Status {
	w := wire.WorkerStatus{}
	w.Worker, w.Slots, w.Busy = "w", 2, 2
	w.UpUS, w.IdleUS = int64(seconds*1e6), int64(2*idle*seconds*1e6)
	return &wire.Status{Workers: []wire.WorkerStatus{w}, Runs: []wire.Run{
		{ID: "r", State: "running", Total: 1000, Found: 1000, Done: 10, Leased: 4, Pending: 986, Peers: 1},
	}}
}

func TestWhatBoundedARunIsToldFromItsLastWords(t *testing.T) {
	over := &wire.Status{Runs: []wire.Run{{ID: "r", State: "finished", Ended: time.Now(), Found: 1000, Done: 1000}}}
	for name, c := range map[string]struct {
		seen []*wire.Status
		want string
	}{
		"nobody looked":      {nil, "too short to tell"},
		"one look":           {[]*wire.Status{at(1, 0)}, "too short to tell"},
		"workers busy":       {[]*wire.Status{{}, at(1, 0), at(5, 0), over}, "compute-bound: slots are busy"},
		"workers wait":       {[]*wire.Status{at(1, 0.6), at(5, 0.6), over}, "reading-bound: workers idle 60 %"},
		"the last words win": {[]*wire.Status{at(1, 0), at(5, 0), at(50, 0.6), over}, "reading-bound"},
	} {
		if got := verdict(c.seen, 2, 8); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := verdict([]*wire.Status{at(1, 0), at(5, 0)}, 2, 2); !strings.Contains(got, "only more machines") {
		t.Errorf("every processor busy: %q", got)
	}
}
