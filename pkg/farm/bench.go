package farm

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bottleneck"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Point is one point of a scaling curve: the result of a run with a number of slots.
type Point struct {
	Slots   int
	Images  int64 // done
	Bytes   int64 // of these images, as encoded files
	Elapsed time.Duration
	Stages  wire.Timings // sums over the images, in microseconds of slot time
	Verdict string       // what limited the farm, a sentence without a full stop
}

// ImagesPerSecond is the throughput, from the start of the farm to its end.
func (p Point) ImagesPerSecond() float64 { return float64(p.Images) / max(p.Elapsed.Seconds(), 1e-9) }

// Efficiency is the throughput for each slot relative to base's: 1 if the farm scales perfectly.
func (p Point) Efficiency(base Point) float64 {
	each := base.ImagesPerSecond() / float64(base.Slots)
	if each == 0 {
		return 0
	}
	return p.ImagesPerSecond() / float64(p.Slots) / each
}

// Measure runs the farm and returns its point of the curve. The error is that of Run.
func (f *Farm) Measure(ctx context.Context, slots int) (Point, error) {
	var seen []*wire.Status
	done := make(chan struct{})
	var side sync.WaitGroup
	side.Go(func() {
		look := time.NewTicker(500 * time.Millisecond)
		defer look.Stop()
		for {
			select {
			case <-done:
				return
			case <-look.C:
				seen = append(seen, f.sink.Status())
			}
		}
	})
	begun := time.Now()
	run, err := f.Run(ctx)
	p := Point{Slots: slots, Images: run.Done, Elapsed: time.Since(begun)}
	close(done)
	side.Wait()
	last := f.sink.Status()
	p.Stages = last.Stages
	for _, w := range last.Workers {
		p.Bytes += w.InputBytes
	}
	p.Verdict = verdict(seen, slots, runtime.NumCPU())
	return p, err
}

// verdict returns the last bottleneck that the statuses of one run show.
func verdict(seen []*wire.Status, slots, processors int) string {
	found := bottleneck.Verdict{Text: "too short to tell: give it more images"}
	var first *wire.Status // the first with a worker
	for _, s := range seen {
		if first == nil {
			if len(s.Workers) > 0 {
				first = s
			}
			continue
		}
		switch v := bottleneck.Find(s, first); v.Kind {
		case bottleneck.Compute, bottleneck.Reading, bottleneck.Writing, bottleneck.Balanced:
			found = v
		}
	}
	if found.Kind == bottleneck.Compute && slots >= processors {
		return "compute-bound: every processor of this machine has its slot; only more machines will help"
	}
	return found.Text
}
