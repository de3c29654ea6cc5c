//go:build unix

package processes

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// ear listens to a sink's events, so that tests can do things in the middle of a run without sleeping.
type ear struct {
	t   *testing.T
	sub *zsock.Sub

	mu      sync.Mutex
	topics  map[string]int
	settled map[string]wire.Receipt // by id
	changed chan struct{}
}

// listen returns when the sink's events arrive.
func (f *farm) listen() *ear {
	f.t.Helper()
	sub, err := zsock.NewSub(zsock.Config{RecvHWM: 100_000, ReconnectMax: 500 * time.Millisecond})
	if err != nil {
		f.t.Fatal(err)
	}
	e := &ear{t: f.t, sub: sub, topics: make(map[string]int), settled: make(map[string]wire.Receipt),
		changed: make(chan struct{})}
	if err := sub.Subscribe(""); err != nil {
		f.t.Fatal(err)
	}
	if err := sub.Dial(f.Events); err != nil {
		f.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { e.follow(ctx) })
	f.t.Cleanup(func() {
		cancel()
		wg.Wait()
		_ = sub.Close(ctx) // at once
	})
	e.await("the sink's events", func() bool { return e.topics[wire.TopicThroughput] > 0 })
	return e
}

func (e *ear) follow(ctx context.Context) {
	for {
		frames, err := e.sub.Recv(ctx)
		if err != nil {
			return
		}
		topic, payload, err := wire.DecodeEvent(frames)
		if err != nil {
			e.t.Errorf("an event was not understood: %v", err)
			continue
		}
		e.mu.Lock()
		e.topics[topic]++
		switch topic {
		case wire.TopicTaskDone, wire.TopicTaskRejected, wire.TopicTaskDead:
			var r wire.Receipt
			if err := wire.DecodePayload(payload, &r); err != nil {
				e.t.Errorf("%s: %v", topic, err)
			}
			e.settled[r.ID] = r
		}
		close(e.changed)
		e.changed = make(chan struct{})
		e.mu.Unlock()
	}
}

// await waits until true() holds; it is called with the lock held.
func (e *ear) await(what string, true func() bool) {
	e.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	for {
		e.mu.Lock()
		ok, changed := true(), e.changed
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline.C:
			e.t.Fatalf("%s: not within %v", what, limit)
		}
	}
}

// awaitSettled waits until n tasks are settled.
func (e *ear) awaitSettled(n int) {
	e.t.Helper()
	e.await(fmt.Sprint(n, " settled tasks"), func() bool { return len(e.settled) >= n })
}

// awaitSettledBy waits until n tasks are settled by that worker.
func (e *ear) awaitSettledBy(worker string, n int) {
	e.t.Helper()
	e.await(fmt.Sprint(n, " tasks settled by ", worker), func() bool {
		of := 0
		for _, r := range e.settled {
			if r.Worker == worker {
				of++
			}
		}
		return of >= n
	})
}
