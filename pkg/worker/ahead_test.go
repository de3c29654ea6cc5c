package worker

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// line is an engine that does one thing at a time; others wait in it.
type line struct {
	slow
	turn chan struct{}
	has  atomic.Int32
	most atomic.Int32 // that it had at the end of one
}

func (l *line) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	came := time.Now()
	l.has.Add(1)
	l.turn <- struct{}{}
	defer func() {
		l.most.Store(max(l.most.Load(), l.has.Add(-1)+1))
		<-l.turn
	}()
	waited := time.Since(came)
	res, err := l.slow.Transform(ctx, data, r)
	if err == nil {
		res.Stages.Waited = waited
	}
	return res, err
}

func TestTasksThatWaitInTheEngineKeepNoSlotBusy(t *testing.T) {
	e := &line{}
	inBubble := func(c *Config) {
		e.turn = make(chan struct{}, 1)
		c.Engine, c.Ahead = e, 1
	}
	onStage(t, inBubble, func(t *testing.T, s *stage) {
		for i := range 4 {
			s.send("a.jpg", "1s", wire.TaskInfo{ID: fmt.Sprint(i)})
		}
		synctest.Wait()
		if h := s.worker.heartbeat(); h.Busy != 1 || len(h.Held) != 4 || e.has.Load() != 2 {
			t.Errorf("the engine has %d of %d tasks, and of 1 slot are busy %d", e.has.Load(), len(h.Held), h.Busy)
		}
		for i := range 4 {
			r := s.result(time.Minute)
			if r == nil {
				t.Fatal("no result")
			}
			want := time.Duration(i) * time.Second // those before it
			if r.Timings.Waited != want.Microseconds() || r.Timings.Total != 1e6 {
				t.Errorf("result %d waited %d µs, want %v, and took %d, want 1 s", i, r.Timings.Waited, want, r.Timings.Total)
			}
		}
		synctest.Wait()
		if h := s.worker.heartbeat(); h.Busy != 0 || h.IdleUS > 1000 || e.most.Load() != 2 {
			t.Errorf("in the end %d are busy, the slot was idle for %d µs, and the engine had up to %d", h.Busy, h.IdleUS,
				e.most.Load())
		}
	})
}
