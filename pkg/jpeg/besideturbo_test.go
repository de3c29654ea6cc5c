package jpeg

import (
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkBesideTurbo compares with libjpeg-turbo's decode to planes, one thread each, the fastest of several rounds for each
// photograph. "ratio" is the median over the photographs, and "total-ratio" that of the sums.
func BenchmarkBesideTurbo(b *testing.B) {
	program := turbo(b)
	const rounds = 12
	for _, mode := range modes {
		photos := corpus(b, mode.kind)
		b.Run(mode.name, func(b *testing.B) {
			var d Decoder
			var p Planes
			var ratios []float64
			var ours, theirs float64
			for b.Loop() {
				ratios, ours, theirs = nil, 0, 0
				for name, data := range photos {
					best := 1e18
					for range rounds {
						start := time.Now()
						if err := d.Decode(&p, data, mode.opt); err != nil {
							b.Fatalf("%s: %v", name, err)
						}
						best = min(best, float64(time.Since(start).Nanoseconds())/1e3)
					}
					out, err := exec.Command(program, "time", strconv.Itoa(int(mode.opt.Scale)), strconv.Itoa(rounds), name).Output()
					if err != nil {
						b.Fatal(err)
					}
					reference, err := strconv.ParseFloat(strings.Fields(string(out))[0], 64)
					if err != nil {
						b.Fatal(err)
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
