package worker

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// arrivals sends tasks that take so long each, at once, and returns how long after that their results came.
func (s *stage) arrivals(each ...string) (came []time.Duration) {
	s.t.Helper()
	began := time.Now()
	for i, data := range each {
		s.send(fmt.Sprintf("%d.jpg", i), data, wire.TaskInfo{ID: fmt.Sprint("id", i)})
	}
	for range each {
		if s.result(time.Minute) == nil {
			s.t.Fatalf("%d of %d results came", len(came), len(each))
		}
		came = append(came, time.Since(began).Round(time.Millisecond))
	}
	return came
}

func TestResultsWaitForEachOtherOnlyWhileThereIsPlentyToDo(t *testing.T) {
	const ms = time.Millisecond
	repeat := func(s string, n int) []string { return strings.Fields(strings.Repeat(s+" ", n)) }
	for name, c := range map[string]struct {
		tasks []string
		want  []time.Duration
	}{
		// With one image at work and seven waiting, results are batched until no more than three are left.
		"short tasks": {repeat("1ms", 8),
			[]time.Duration{5 * ms, 5 * ms, 5 * ms, 5 * ms, 5 * ms, 6 * ms, 7 * ms, 8 * ms}},
		"longer tasks": {repeat("15ms", 6), []time.Duration{35 * ms, 35 * ms, 45 * ms, 60 * ms, 75 * ms, 90 * ms}},
		"one task":     {repeat("1ms", 1), []time.Duration{1 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(cfg *Config) { cfg.Prefetch = 8 }, func(t *testing.T, s *stage) {
				if came := s.arrivals(c.tasks...); fmt.Sprint(came) != fmt.Sprint(c.want) {
					t.Errorf("results came after %v, want %v", came, c.want)
				}
			})
		})
	}
}

// A worker that drains sends the batch it holds back before it ends; a worker that is cut discards it.
func TestKeptResultsAreToldAtTheEnd(t *testing.T) {
	for name, drain := range map[string]bool{"drained": true, "cut": false} {
		t.Run(name, func(t *testing.T) {
			onStage(t, func(c *Config) { c.Prefetch = 8 }, func(t *testing.T, s *stage) {
				s.send("a.jpg", "1ms", wire.TaskInfo{ID: "a"})
				for range 6 {
					s.send("b.jpg", "1s", wire.TaskInfo{ID: "b"})
				}
				time.Sleep(2 * time.Millisecond)
				synctest.Wait()
				if held := s.worker.holds(); held != 2 {
					t.Errorf("%d tasks are held, a result is kept", held)
				}
				want := 0
				if drain {
					s.worker.Drain()
					want = 7
				} else {
					s.cut()
				}
				<-s.ended
				got := 0
				for s.result(time.Second) != nil {
					got++
				}
				if got != want {
					t.Errorf("%d results came, want %d", got, want)
				}
			})
		})
	}
}

// heavy is slow with outputs beyond what is kept.
type heavy struct{ slow }

func (h heavy) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	res, err := h.slow.Transform(ctx, data, r)
	if err == nil {
		res.Outputs[0].Data = make([]byte, batchBytes)
	}
	return res, err
}

func TestLargeResultsAreNotKept(t *testing.T) {
	onStage(t, func(c *Config) { c.Prefetch = 8; c.Engine = heavy{} }, func(t *testing.T, s *stage) {
		for i, came := range s.arrivals("1ms", "1ms", "1ms", "1ms", "1ms", "1ms", "1ms") {
			if want := time.Duration(i+1) * time.Millisecond; came != want {
				t.Errorf("result %d came after %v, want %v", i, came, want)
			}
		}
	})
}

// A slot idles no longer than before results were kept back, where a result takes two transforms to bring the next
// task.
func TestSlotsDoNotWaitForADistantVentilator(t *testing.T) {
	const tasks, each, latency = 400, 3 * time.Millisecond, 6 * time.Millisecond
	onStage(t, nil, func(t *testing.T, s *stage) {
		began := time.Now()
		send := func() { s.send("a.jpg", each.String(), wire.TaskInfo{ID: "a"}) }
		for range DefaultPrefetch(1) {
			send()
		}
		later := make(chan time.Time, tasks)
		var ventilator sync.WaitGroup
		ventilator.Go(func() {
			for at := range later {
				time.Sleep(time.Until(at))
				send()
			}
		})
		for range tasks {
			if s.result(time.Minute) == nil {
				t.Fatal("a result is missing")
			}
			later <- time.Now().Add(latency)
		}
		close(later)
		defer ventilator.Wait()
		if took := time.Since(began); took > tasks*each+latency+batchDelay { // the last result may be kept back
			t.Errorf("%d tasks of %v took %v", tasks, each, took)
		}
	})
}
