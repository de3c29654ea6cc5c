package jpeg

import (
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkBesideTurbo compares with libjpeg-turbo's decode to planes, one thread each, the fastest of several
// rounds for each photograph. "ratio" is the median over the photographs, and "total-ratio" that of the sums.
func BenchmarkBesideTurbo(b *testing.B) {
	program := turbo(b)
	const turns, rounds = 4, 5
	for _, mode := range modes {
		photos := corpus(b, mode.progressive)
		b.Run(mode.name, func(b *testing.B) {
			var d Decoder
			var p Planes
			var ratios []float64
			var ours, theirs float64
			for b.Loop() {
				ratios, ours, theirs = nil, 0, 0
				for name, data := range photos {
					best, reference := math.Inf(1), math.Inf(1)
					for range turns { // in turns, for other work on the machine to hit both
						best = min(best, fastest(b, rounds, func() error { return d.Decode(&p, data, mode.opt) }))
						reference = min(reference, turboTime(b, program, rounds, mode.opt.Scale, name))
					}
					ratios = append(ratios, reference/best)
					ours, theirs = ours+best, theirs+reference
				}
			}
			slices.Sort(ratios)
			n := float64(len(photos))
			b.ReportMetric(ours/n, "µs/photo")
			b.ReportMetric(theirs/n, "turbo-µs/photo")
			b.ReportMetric(ratios[len(ratios)/2], "ratio")
			b.ReportMetric(theirs/ours, "total-ratio")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// fastest returns the shortest time that f took, µs.
func fastest(b *testing.B, rounds int, f func() error) float64 {
	best := math.Inf(1)
	for range rounds {
		start := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		best = min(best, float64(time.Since(start).Nanoseconds())/1e3)
	}
	return best
}

// turboTime returns the shortest time that libjpeg-turbo took for a file, µs.
func turboTime(b *testing.B, program string, rounds int, scale Scale, name string) float64 {
	out, err := exec.Command(program, "time", strconv.Itoa(int(Full/scale)), strconv.Itoa(rounds), name).Output()
	if err != nil {
		b.Fatal(err)
	}
	best, err := strconv.ParseFloat(strings.Fields(string(out))[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return best
}
