package report

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// maxSlices bounds the slices of time in which throughput is counted.
const maxSlices = 480

// flow is throughput over time: counts in slices of equal width, the first of which begins at start. When there
// would be more than maxSlices, add joins them in pairs.
type flow struct {
	start  time.Time
	width  time.Duration
	slices []slice
}

// slice is what was settled in one slice of time.
type slice struct{ done, refused, bytes int64 }

func newFlow(start time.Time) flow { return flow{start: start, width: 10 * time.Millisecond} }

func (f *flow) add(at time.Time, done bool, bytes int64) {
	if f.start.IsZero() {
		f.start = at
	}
	i := int64(max(0, at.Sub(f.start)) / f.width)
	for i >= maxSlices {
		f.join()
		i /= 2
	}
	for int64(len(f.slices)) <= i {
		f.slices = append(f.slices, slice{})
	}
	s := &f.slices[i]
	s.bytes += bytes
	if done {
		s.done++
	} else {
		s.refused++
	}
}

// join makes each pair of slices one.
func (f *flow) join() {
	half := (len(f.slices) + 1) / 2
	for i := range half {
		s := f.slices[2*i]
		if 2*i+1 < len(f.slices) {
			next := f.slices[2*i+1]
			s.done, s.refused, s.bytes = s.done+next.done, s.refused+next.refused, s.bytes+next.bytes
		}
		f.slices[i] = s
	}
	f.slices, f.width = f.slices[:half], 2*f.width
}

// Stage is how long one stage took, over all done images.
type Stage struct {
	Name  string
	Count int64
	Sum   int64 // microseconds
	Max   int64
	of    func(*wire.Timings) int64
	steps [512]int64 // counts of times, by the logarithm of microseconds
}

func newStages() []Stage {
	return []Stage{
		{Name: "waited", of: func(t *wire.Timings) int64 { return t.Waited }},
		{Name: "decode", of: func(t *wire.Timings) int64 { return t.Decode }},
		{Name: "transform", of: func(t *wire.Timings) int64 { return t.Transform }},
		{Name: "encode", of: func(t *wire.Timings) int64 { return t.Encode }},
		{Name: "write", of: func(t *wire.Timings) int64 { return t.Write }},
		{Name: "total", of: func(t *wire.Timings) int64 { return t.Total }},
	}
}

// stepsPerOctave makes a step about a tenth.
const stepsPerOctave = 8

func (s *Stage) add(us int64) {
	us = max(0, us)
	s.Count++
	s.Sum += us
	s.Max = max(s.Max, us)
	s.steps[min(len(s.steps)-1, int(math.Log2(float64(us+1))*stepsPerOctave))]++
}

// Mean returns the mean time.
func (s *Stage) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return time.Duration(s.Sum/s.Count) * time.Microsecond
}

// Quantile returns the time that a share q of the images did not exceed, to about a tenth.
func (s *Stage) Quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q * float64(s.Count)))
	seen := int64(0)
	for i, n := range s.steps {
		if seen += n; seen >= rank && n > 0 {
			us := int64(math.Exp2((float64(i)+.5)/stepsPerOctave) - 1)
			return time.Duration(min(us, s.Max)) * time.Microsecond
		}
	}
	return 0
}

// slowest keeps the images that took longest.
type slowest []wire.Receipt

// Len implements heap.Interface, as do the next four.
func (s slowest) Len() int           { return len(s) }
func (s slowest) Less(i, j int) bool { return s[i].Timings.Total < s[j].Timings.Total }
func (s slowest) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *slowest) Push(x any)        { *s = append(*s, x.(wire.Receipt)) }
func (s *slowest) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	*s = (*s)[:last]
	return x
}

func (s *slowest) add(e *wire.Receipt) {
	switch {
	case len(*s) < maxSlowest:
		heap.Push(s, *e)
	case e.Timings.Total > (*s)[0].Timings.Total:
		(*s)[0] = *e
		heap.Fix(s, 0)
	}
}

// Slowest returns the images that took longest, the slowest first.
func (r *Report) Slowest() []wire.Receipt {
	return slices.SortedFunc(slices.Values(r.slowest), func(a, b wire.Receipt) int {
		return cmp.Or(cmp.Compare(b.Timings.Total, a.Timings.Total), strings.Compare(a.Filename, b.Filename))
	})
}

// sample keeps every nth image. It increases n as images come, so that a few images are spread evenly over a run of
// unknown length.
type sample struct {
	every, seen int64
	kept        []wire.Receipt
}

func (s *sample) add(e *wire.Receipt) {
	s.every = max(1, s.every)
	if len(e.Outputs) == 0 {
		return
	}
	if s.seen%s.every == 0 {
		if len(s.kept) == 4*maxPairs {
			for i := range 2 * maxPairs {
				s.kept[i] = s.kept[2*i]
			}
			s.kept, s.every = s.kept[:2*maxPairs], 2*s.every
		}
		if s.seen%s.every == 0 {
			s.kept = append(s.kept, *e)
		}
	}
	s.seen++
}

// Refused returns the rejected images by reason, in the order of outcome.Reasons, and the dead letters last.
func (r *Report) Refused() (all []Refused) {
	for _, reason := range append(outcome.Reasons(), deadLetter) {
		if group := r.reasons[string(reason)]; group != nil {
			all = append(all, *group)
		}
	}
	return all
}

// Dropped is how many done images lost a kind of metadata: none of their outputs carries it.
type Dropped struct {
	Kind   string // "exif", "icc", …
	Images int64
}

// Dropped returns the kinds of metadata that outputs do not carry, the commonest first.
func (r *Report) Dropped() (all []Dropped) {
	for kind, n := range r.dropped {
		all = append(all, Dropped{kind, n})
	}
	slices.SortFunc(all, func(a, b Dropped) int {
		return cmp.Or(cmp.Compare(b.Images, a.Images), strings.Compare(a.Kind, b.Kind))
	})
	return all
}

// Warned returns the done images about which there are warnings, or of which a variant could not be made.
func (r *Report) Warned() Warned { return r.warned }

// Workers returns what each worker settled, the busiest first.
func (r *Report) Workers() []Worker {
	var all []Worker
	for _, w := range r.workers {
		all = append(all, *w)
	}
	slices.SortFunc(all, func(a, b Worker) int {
		return cmp.Or(cmp.Compare(b.Images, a.Images), strings.Compare(a.Name, b.Name))
	})
	if r.others.Images > 0 {
		r.others.Name = "others"
		all = append(all, r.others)
	}
	return all
}

// Stages returns how long each stage took.
func (r *Report) Stages() []Stage { return r.stages }
