package dashboard

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

var start = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// at returns the status after some seconds at some images per second.
func at(second int, perSecond float64, live bool) *wire.Status {
	n := int64(float64(second) * perSecond)
	run := wire.Run{ID: "r", Started: start, Total: 1000, Found: 1000, Done: n}
	if !live {
		run.Ended = start.Add(time.Duration(second) * time.Second)
	}
	return &wire.Status{Now: start.Add(time.Duration(second) * time.Second), Done: uint64(n), Runs: []wire.Run{run}}
}

func TestPaceCoversTheLastHalfMinute(t *testing.T) {
	var p pace
	p.add(at(0, 10, true))
	if _, ok := p.of("r"); ok {
		t.Error("a pace after one look")
	}
	for s := 1; s <= 100; s++ {
		p.add(at(s, 10, true))
	}
	if rate, ok := p.of("r"); !ok || rate != 10 {
		t.Errorf("%v a second, %v", rate, ok)
	}
	if n := len(p.runs["r"]); n > 32 {
		t.Errorf("%d tallies are kept", n)
	}
	if n := len(p.statuses); n > 12 {
		t.Errorf("%d statuses are kept", n)
	}
	p.add(at(101, 10, false))
	if len(p.runs) != 0 {
		t.Error("an ended run is remembered")
	}
}

func TestPastKeepsTheWholeRunInFewPoints(t *testing.T) {
	var p past
	for s := range 5000 {
		p.add(at(s, 10, true))
	}
	h := p.history(nil)
	if len(h.Rates) > maxPast || len(h.Rates) < maxPast/2-1 {
		t.Errorf("%d points", len(h.Rates))
	}
	for i, r := range h.Rates {
		if math.Abs(r-10) > 0.5 {
			t.Errorf("point %d is %v", i, r)
		}
	}
	if span := h.Step * float64(len(h.Rates)); math.Abs(span-5000) > 100 {
		t.Errorf("they span %v s", span)
	}
	if p.history(h) != h {
		t.Error("what did not change is copied")
	}
}

func TestPastRestartsWithAnotherRun(t *testing.T) {
	var p past
	p.add(&wire.Status{Now: start, Done: 70_000}) // a sink that has been at work before
	for s := 1; s <= 20; s++ {
		st := at(s, 10, true)
		st.Done += 70_000
		p.add(st)
	}
	first := p.history(nil)
	if top := slices.Max(first.Rates); top > 11 {
		t.Errorf("what was settled before shows as %v a second", top)
	}
	for s := 21; s <= 40; s++ {
		st := at(20, 10, false)
		st.Done, st.Now = st.Done+70_000, start.Add(time.Duration(s)*time.Second)
		p.add(st)
	}
	if h := p.history(nil); len(h.Rates) > len(first.Rates)+1 {
		t.Errorf("it goes on after the run: %v", h.Rates)
	}
	st := at(20, 10, true)
	st.Done, st.Now = st.Done+70_000, start.Add(41*time.Second)
	p.add(st)
	if h := p.history(nil); len(h.Rates) > 1 || h.Start < st.Now.Add(-2*time.Second).UnixMilli() {
		t.Errorf("another run's begins with %+v", h)
	}
}

func TestStatusIsReadOncePerSecondForAnyNumberOfPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeSink()
		d := newDashboard(t, Config{Source: f})
		stop := make(chan struct{})
		done := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- d.Run(ctx) }()
		for range 100 {
			go func() {
				for {
					_, changed := d.current()
					select {
					case <-changed:
					case <-stop:
						return
					}
				}
			}()
		}
		time.Sleep(60 * time.Second)
		if n := f.asked.Load(); n < 55 || n > 65 {
			t.Errorf("asked %d times in a minute", n)
		}
		f.asked.Store(0)
		for range 600 { // workers come and go all the time
			f.say(wire.TopicWorkerLost, &wire.WorkerEvent{Worker: "w"})
			time.Sleep(100 * time.Millisecond)
		}
		if n := f.asked.Load(); n > 4*60+5 {
			t.Errorf("asked %d times in a minute in which much happened", n)
		}
		close(stop)
		f.mu.Lock()
		close(f.events) // the sink has ended
		f.mu.Unlock()
		time.Sleep(5 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLatestImagesChangeAtALimitedRate(t *testing.T) {
	m := newMemory()
	now := start
	for i := range 10_000 { // a thousand a second for ten seconds
		r := receipt("x", outcome.Done)
		m.take(wire.Event{Payload: &r}, now)
		if i == maxRecent-1 && len(m.recent) != maxRecent {
			t.Errorf("%d images are shown after %d came", len(m.recent), i)
		}
		now = now.Add(time.Millisecond)
	}
	if m.version > maxRecent+21 {
		t.Errorf("the images changed %d times", m.version)
	}
}

func TestRetriedImagesLeaveTheList(t *testing.T) {
	m := newMemory()
	for reason, n := range map[outcome.Reason]int{outcome.Truncated: 3, outcome.Corrupt: 2} {
		for range n {
			r := receipt("x", outcome.Rejected)
			r.Reason = reason
			m.take(wire.Event{Payload: &r}, start)
		}
	}
	dead := receipt("d", outcome.Dead)
	m.take(wire.Event{Payload: &dead}, start)
	m.forgetRetried(&wire.EntriesArgs{Run: "another", Reasons: []outcome.Reason{outcome.Truncated}})
	if len(m.refused) != 6 {
		t.Errorf("%d are left after another run's were retried", len(m.refused))
	}
	m.forgetRetried(&wire.EntriesArgs{Reasons: []outcome.Reason{outcome.Truncated}})
	if len(m.refused) != 3 || len(m.reasons) != 2 || m.reasons["dead"] != 1 {
		t.Errorf("%d are left, %v", len(m.refused), m.reasons)
	}
	m.forgetRetried(&wire.EntriesArgs{Outcomes: []outcome.Outcome{outcome.Rejected, outcome.Dead}})
	if len(m.refused) != 0 || len(m.reasons) != 0 {
		t.Errorf("%d are left, %v", len(m.refused), m.reasons)
	}
}

func TestPaceCountsWorkingTimeOnly(t *testing.T) {
	var p pace
	paused := func(second int, worked, working int64) {
		p.add(&wire.Status{Now: start.Add(time.Duration(second) * time.Second),
			Runs: []wire.Run{{ID: "r", Started: start, Found: 1000, Done: worked, WorkUS: working * 1e6}}})
	}
	for s := range 10 {
		paused(s, 0, 0)
	}
	paused(10, 10, 1)
	if rate, ok := p.of("r"); ok {
		t.Errorf("%v a second after one of work", rate)
	}
	paused(11, 20, 2)
	for s := 12; s < 30; s++ {
		paused(s, 40, 4)
	}
	if rate, ok := p.of("r"); !ok || rate != 10 {
		t.Errorf("%v a second, %v", rate, ok)
	}
	for s := 30; s < 60; s++ {
		paused(s, 40, 4)
	}
	if rate, ok := p.of("r"); ok {
		t.Errorf("%v a second after half a minute's pause", rate)
	}
}
