package isolate

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/cputime"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// What isolation adds to a transform: the engine of these benchmarks only copies a few bytes.
func BenchmarkOverhead(b *testing.B) {
	for _, bench := range []struct {
		name   string
		size   int
		piped  bool
		buffer bool
	}{
		{"1KB", 1 << 10, false, false},
		{"1MB", 1 << 20, false, false},
		{"1MB-buffer", 1 << 20, false, true},
		{"1MB-pipe", 1 << 20, true, false},
		{"10MB", 10 << 20, false, false},
	} {
		b.Run(bench.name, func(b *testing.B) {
			e := idleEngine(b, Config{Slots: 1, Buffers: 1})
			e.piped = bench.piped
			runEngine(b, e)
			if _, err := transform(b, e, "hello"); err != nil {
				b.Fatal(err)
			}
			data := make([]byte, bench.size)
			if bench.buffer {
				data = e.Buffer(bench.size)
				defer e.Release(data)
			}
			copy(data, "large 10000")
			r := recipe.Default()
			b.SetBytes(int64(bench.size))
			b.ReportAllocs()
			used := cpuTime(b, e)
			for b.Loop() {
				if _, err := e.Transform(b.Context(), data, r); err != nil {
					b.Fatal(err)
				}
			}
			used = cpuTime(b, e) - used
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func BenchmarkInProcess(b *testing.B) {
	p, err := openPoison("poison", nil, 0)
	if err != nil {
		b.Fatal(err)
	}
	data := append([]byte("large 10000"), make([]byte, 1<<20)...)
	benchEngine(b, p, [][]byte{data})
}

// BenchmarkReplacement is a crash and a new child.
func BenchmarkReplacement(b *testing.B) {
	e := newEngine(b, Config{Slots: 1})
	for b.Loop() {
		if _, err := transform(b, e, "exit"); err == nil {
			b.Fatal("no crash")
		}
	}
}

// cpuTime is what this process and e's child have used. bench/isolated measures photographs.
func cpuTime(b *testing.B, e *Engine) time.Duration {
	b.Helper()
	sum := cputime.Used()
	for _, c := range e.Stats().Children {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.PID))
		if err != nil {
			b.Fatal(err)
		}
		f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		for _, ticks := range f[11:13] {
			n, err := strconv.Atoi(ticks)
			if err != nil {
				b.Fatal(err)
			}
			sum += time.Duration(n) * 10 * time.Millisecond
		}
	}
	return sum
}

func benchEngine(b *testing.B, e engine.Engine, images [][]byte) {
	b.Helper()
	r := recipe.Default()
	i := 0
	for b.Loop() {
		if _, err := e.Transform(b.Context(), images[i%len(images)], r); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
