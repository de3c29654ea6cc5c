package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
)

// The chart of throughput, in the units of its drawing.
const (
	chartWidth, chartHeight = 960.0, 240.0
	chartLeft, chartRight   = 44.0, 8.0
	chartTop, chartBottom   = 12.0, 24.0
)

// Chart is throughput over time, ready to be drawn.
type Chart struct {
	Width, Height       float64
	Left, Right, Bottom float64
	Area, Line          string // paths: images a second
	Refused             []Bar  // where images were refused
	Values, Times       []Tick // of the axes
	About               string
}

// Bar is a slice of time in which images were refused.
type Bar struct{ X, Y, Width, Height float64 }

// Tick is a mark of an axis.
type Tick struct {
	At    float64
	Label string
}

// chart draws the flow until end; no chart when nothing was settled.
func (f *flow) chart(end time.Time) *Chart {
	shown := flow{start: f.start, width: f.width, slices: slices.Clone(f.slices)}
	total := int64(0)
	for _, s := range shown.slices {
		total += s.done + s.refused
	}
	if total == 0 {
		return nil
	}
	for n := len(shown.slices); n > 96 || n > 24 && total/int64(n) < 8; n = len(shown.slices) {
		shown.join()
	}
	rates, most, refused := shown.rates(end)
	span := max(float64(len(rates)-1), 0) + shown.lastShare(end)
	c := &Chart{Width: chartWidth, Height: chartHeight, Left: chartLeft, Right: chartWidth - chartRight,
		Bottom: chartHeight - chartBottom}
	x := func(slice float64) float64 {
		return tenth(chartLeft + min(slice, span)/span*(chartWidth-chartLeft-chartRight))
	}
	step := niceStep(most, 4)
	top := math.Ceil(most/step) * step
	y := func(rate float64) float64 {
		return tenth(c.Bottom - rate/top*(chartHeight-chartTop-chartBottom))
	}
	var line strings.Builder
	for i, rate := range rates {
		fmt.Fprintf(&line, "%c%g %gH%g", "ML"[min(i, 1)], x(float64(i)), y(rate), x(float64(i+1)))
		if r := refused[i]; r > 0 {
			at := x(float64(i))
			height := max(3, c.Bottom-y(r))
			c.Refused = append(c.Refused, Bar{X: at, Y: tenth(c.Bottom - height), Width: tenth(max(2, x(float64(i+1))-at)),
				Height: tenth(height)})
		}
	}
	c.Line = line.String()
	c.Area = fmt.Sprintf("M%g %gV%g%sV%gZ", x(0), c.Bottom, y(rates[0]), "L"+c.Line[1:], c.Bottom)
	for v := 0.0; v <= top*1.001; v += step {
		c.Values = append(c.Values, Tick{y(v), fmt.Sprintf("%g", math.Round(v*1000)/1000)})
	}
	whole := time.Duration(span * float64(shown.width))
	each := niceTime(whole)
	for t := time.Duration(0); t <= whole; t += each {
		c.Times = append(c.Times, Tick{x(float64(t) / float64(shown.width)), clock(t)})
	}
	c.About = fmt.Sprintf("Throughput over %s, at most %.3g images a second in a slice of %s", numfmt.Time(whole), most,
		numfmt.Time(shown.width))
	return c
}

// rates returns the images settled a second in each slice, the greatest of them, and those refused a second.
func (f *flow) rates(end time.Time) (all []float64, most float64, refused []float64) {
	for i, s := range f.slices {
		seconds := f.width.Seconds()
		if i == len(f.slices)-1 {
			seconds *= f.lastShare(end)
		}
		rate := float64(s.done+s.refused) / seconds
		all, refused = append(all, rate), append(refused, float64(s.refused)/seconds)
		most = max(most, rate)
	}
	return all, most, refused
}

// lastShare is how much of the last slice had passed at the end: at least a quarter, so that one image makes no peak.
func (f *flow) lastShare(end time.Time) float64 {
	begun := f.start.Add(time.Duration(len(f.slices)-1) * f.width)
	return min(1, max(.25, float64(end.Sub(begun))/float64(f.width)))
}

// niceStep returns 1, 2 or 5 times a power of ten, of which about n reach most.
func niceStep(most float64, n int) float64 {
	if most <= 0 {
		return 1
	}
	raw := most / float64(n)
	power := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5, 10} {
		if m*power >= raw {
			return m * power
		}
	}
	return 10 * power
}

// niceTime returns a distance for the marks of a time axis: four to ten of them.
func niceTime(whole time.Duration) time.Duration {
	for _, d := range []time.Duration{
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
		10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	} {
		if whole/d < 8 {
			return d
		}
	}
	return (whole/8 + 24*time.Hour).Truncate(24 * time.Hour)
}

// clock returns a time since the start for an axis.
func clock(d time.Duration) string {
	switch {
	case d == 0:
		return "0"
	case d < time.Minute:
		return d.String()
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < time.Hour && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}

func tenth(f float64) float64 { return math.Round(f*10) / 10 }
