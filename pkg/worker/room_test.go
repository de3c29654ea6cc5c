package worker

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// barred is an engine that transforms nothing until the bar is lifted.
type barred struct {
	slow
	lifted chan struct{}
}

func (b *barred) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	select {
	case <-b.lifted:
		return b.slow.Transform(ctx, data, r)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func TestWorkerHoldsNoMoreThanItHasRoomFor(t *testing.T) {
	const sent = 60
	for name, c := range map[string]struct {
		bytes, most int
	}{
		// Two tasks fill the room; one more has been taken from the socket and waits for it.
		"large tasks": {1 << 20, 3},
		// The prefetch of one ventilator and of its successor, and the one that waits.
		"many small tasks": {100, 2*4 + 1},
		// Each fills the room alone.
		"tasks larger than the room": {3 << 20, 2},
	} {
		t.Run(name, func(t *testing.T) {
			e := &barred{}
			edit := func(c *Config) {
				e.lifted = make(chan struct{})
				c.Engine, c.Prefetch, c.MaxMessage, c.HeldBytes = e, 4, 4<<20, 2<<20+1<<19
			}
			onStage(t, edit, func(t *testing.T, s *stage) {
				data := strings.Repeat("x", c.bytes)
				sending, stop := context.WithCancel(context.Background())
				over := make(chan struct{})
				go func() { // a ventilator that knows no prefetch
					defer close(over)
					for i := range sent {
						task := wire.Task{Filename: "a.jpg", Data: []byte(data), TaskInfo: wire.TaskInfo{ID: fmt.Sprint(i)}}
						if err := s.tasks.Send(sending, zsock.Message{task.Encode()}); err != nil {
							t.Error(err)
							return
						}
					}
				}()
				synctest.Wait()
				if held := len(s.worker.heartbeat().Held); held != c.most {
					t.Errorf("the worker holds %d tasks, want %d", held, c.most)
				}
				close(e.lifted)
				for i := range sent {
					if s.result(time.Minute) == nil {
						t.Fatalf("%d results of %d tasks", i, sent)
					}
				}
				<-over
				stop()
				synctest.Wait()
				if held := len(s.worker.heartbeat().Held); held != 0 {
					t.Errorf("in the end the worker holds %d tasks", held)
				}
			})
		})
	}
}
