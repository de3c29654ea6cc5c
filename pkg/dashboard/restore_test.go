package dashboard

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// worked returns a sink whose ledger has n images of a run that began now: one each half second, each tenth rejected.
// It advances the clock by n/2 seconds.
func worked(n int) (f *fakeSink, run wire.Run) {
	f = newFakeSink()
	run = wire.Run{ID: "r", State: "running", Started: time.Now(), Found: int64(n)}
	for i := range n {
		time.Sleep(500 * time.Millisecond) // virtual: the tests run in bubbles
		r := receipt(fmt.Sprint("image ", i), outcome.Done)
		if i%10 == 9 {
			r = wire.Receipt{
				ID:       fmt.Sprint("image ", i),
				Filename: "x.jpg",
				Outcome:  outcome.Rejected,
				Reason:   outcome.Corrupt,
				Run:      "r",
			}
		}
		r.At = time.Now()
		f.settled = append(f.settled, r)
	}
	slices.Reverse(f.settled)
	return f, run
}

func TestPageAfterARestartShowsTheLedger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, run := worked(1000)
		f.runs = []wire.Run{run}
		d := newDashboard(t, Config{Source: f})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		v, _ := d.current()
		if len(v.album.Recent) != maxRecent || v.album.Recent[0].File != "image 998.jpg" {
			t.Errorf("%d images, the first %q", len(v.album.Recent), v.album.Recent[0].File)
		}
		if len(v.album.Refused) != maxRefused || v.album.Reasons["corrupt"] != 100 {
			t.Errorf("%d rejections, reasons %v", len(v.album.Refused), v.album.Reasons)
		}
		if _, ok := d.memory.allowed(v.album.Recent[0].Name); !ok {
			t.Error("the first image cannot be loaded")
		}
		h := v.history
		if span := h.Step * float64(len(h.Rates)); span < 490 || span > 501 || h.Start != run.Started.UnixMilli() {
			t.Errorf("the chart has %d points of %v s from %d", len(h.Rates), h.Step, h.Start)
		}
		for i, rate := range h.Rates {
			if rate < 1.5 || rate > 2.5 {
				t.Errorf("point %d is %v images a second", i, rate)
			}
		}
		// What comes again as an event is no second image; what is new is one; and the chart goes on.
		again := f.settled[1]
		f.say(wire.TopicTaskDone, &again)
		fresh := receipt("fresh", outcome.Done)
		fresh.At = time.Now()
		f.say(wire.TopicTaskDone, &fresh)
		f.mu.Lock()
		f.status.Done, f.status.Runs = 1, []wire.Run{run}
		f.mu.Unlock()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		v, _ = d.current()
		if v.album.Recent[0].File != "fresh.jpg" || v.album.Recent[1].File == v.album.Recent[2].File {
			t.Errorf("the last images are %q, %q, %q", v.album.Recent[0].File, v.album.Recent[1].File, v.album.Recent[2].File)
		}
		if v.history.Start != run.Started.UnixMilli() || slices.Max(v.history.Rates) > 2.5 {
			t.Errorf("the chart begins at %d, and rises to %v", v.history.Start, slices.Max(v.history.Rates))
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestChartOfAnEndedRunEndsWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, run := worked(20)
		run.Ended, run.State = time.Now(), "finished"
		f.runs = []wire.Run{run}
		time.Sleep(time.Hour)
		d := newDashboard(t, Config{Source: f})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		synctest.Wait()
		time.Sleep(5 * time.Second)
		v, _ := d.current()
		if n := len(v.history.Rates); n != 10 {
			t.Errorf("%d points of 10: %v", n, v.history.Rates)
		}
		// Another run's chart is its own.
		f.mu.Lock()
		f.status.Runs = []wire.Run{{ID: "s", Started: time.Now(), Found: 10}}
		f.status.Done = 5
		f.mu.Unlock()
		time.Sleep(3 * time.Second)
		synctest.Wait()
		v, _ = d.current()
		if v.history.Start < time.Now().Add(-5*time.Second).UnixMilli() {
			t.Errorf("the chart of the next run begins with the last one's: %+v", v.history)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// A stranger's ventilator may leave out the start time of its run.
func TestRunWithoutStartTimeHasNoChart(t *testing.T) {
	var p past
	now := time.Now()
	if err := p.restore(&wire.Run{ID: "r", Ended: now}, &wire.Status{Now: now}, nil); err != nil || len(p.rates) > 0 {
		t.Errorf("%d points, error %v", len(p.rates), err)
	}
}
