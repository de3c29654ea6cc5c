package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/printable"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// throughput prints the throughput of a sink: a line every five seconds while images are settled, and a summary.
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

// following returns the service that prints lines while s runs.
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
		fmt.Fprintf(r.w, "%s  %s img/s, %s/s in, %s done, %s rejected, %s\n", t.At.Format(time.TimeOnly),
			numfmt.Rate(float64(count-r.count)/elapsed.Seconds()), numfmt.Bytes(t.BytesPerSecond),
			numfmt.Count(t.Done), numfmt.Count(t.Rejected), numfmt.Counted(t.Workers, "worker"))
		r.last, r.count = t.At, count
	}
}

// summary prints what a sink received since it started, by worker. strangers says that --allow-strangers was given.
func (r *throughput) summary(s *wire.Status, strangers bool) {
	fmt.Fprintf(
		r.w,
		"%s done, %s rejected, %s dead, %s duplicates, %s failed deliveries, %s bare names; %s settled in the ledger\n",
		numfmt.Count(s.Done),
		numfmt.Count(s.Rejected),
		numfmt.Count(s.Dead),
		numfmt.Count(s.Duplicates),
		numfmt.Count(s.Failed),
		numfmt.Count(s.Strangers),
		numfmt.Count(s.Settled),
	)
	if s.Refused > 0 {
		fmt.Fprintf(r.w, "%s messages of workers refused: no right ticket, or another worker's name\n",
			numfmt.Count(s.Refused))
	}
	if strangers {
		fmt.Fprintln(r.w, strangersAdmitted)
	}
	for _, w := range s.Workers {
		fmt.Fprintf(r.w, "  %-24s %8s images, %10s in\n", printable.Line(w.Worker), numfmt.Count(w.Images),
			numfmt.Bytes(w.InputBytes))
	}
}
