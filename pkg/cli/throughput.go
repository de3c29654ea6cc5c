package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// throughput prints a sink's throughput: a line every few seconds while something happens, and a summary at the end.
type throughput struct {
	w     io.Writer
	every time.Duration
	last  time.Time
	count uint64 // settled at the last line
}

func newThroughput(w io.Writer, quiet bool) *throughput {
	if quiet {
		w = io.Discard
	}
	return &throughput{w: w, every: 5 * time.Second, last: time.Now()}
}

// following prints lines while a sink runs.
func (r *throughput) following(s *sink.Sink) service {
	return func(ctx context.Context, do func(context.Context) error) error {
		events, unwatch := s.Watch(1000)
		var lines sync.WaitGroup
		lines.Go(func() { r.follow(events) })
		err := do(ctx)
		unwatch()
		lines.Wait()
		return err
	}
}

// follow prints lines until events is closed.
func (r *throughput) follow(events <-chan wire.Event) {
	for ev := range events {
		t, ok := ev.Payload.(*wire.Throughput)
		if !ok {
			continue
		}
		count := t.Done + t.Rejected + t.Dead
		elapsed := t.At.Sub(r.last)
		if elapsed < r.every || count == r.count {
			continue
		}
		fmt.Fprintf(r.w, "%s  %.1f img/s, %.1f MB/s in, %d done, %d rejected, %d workers\n", t.At.Format(time.TimeOnly),
			float64(count-r.count)/elapsed.Seconds(), t.BytesPerSecond/1e6, t.Done, t.Rejected, t.Workers)
		r.last, r.count = t.At, count
	}
}

// summary prints what a sink took since it started, and from whom.
func (r *throughput) summary(s *wire.Status) {
	fmt.Fprintf(r.w, "%d done, %d rejected, %d dead, %d duplicates, %d failed deliveries, %d bare names; %d settled in the ledger\n",
		s.Done, s.Rejected, s.Dead, s.Duplicates, s.Failed, s.Strangers, s.Settled)
	for _, w := range s.Workers {
		fmt.Fprintf(r.w, "  %-24s %6d images, %8.1f MB in\n", w.Worker, w.Images, float64(w.InputBytes)/1e6)
	}
}
