package isolate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
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
	p, err := openPoison("poison", nil)
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

// BenchmarkPhotos compares the imaging engine here and in a child, photo by photo and in turn, so that what else the
// machine does hits both; of several rounds each photo's best counts. It reports milliseconds a photo and the
// difference in per cent.
func BenchmarkPhotos(b *testing.B) {
	images := photos(b)
	here, err := imaging.New(imaging.Config{})
	if err != nil {
		b.Fatal(err)
	}
	there := newEngine(b, Config{Engine: "imaging", Slots: 1})
	best := map[engine.Engine][]time.Duration{}
	for _, e := range []engine.Engine{here, there} {
		best[e] = slices.Repeat([]time.Duration{time.Hour}, len(images))
	}
	r := recipe.Default().For("photo.jpg")
	cpu := map[engine.Engine]time.Duration{}
	n := 0
	for b.Loop() {
		n++
		for i, data := range images {
			for e, times := range best {
				start, used := time.Now(), cpuTime(b, there)
				if _, err := e.Transform(b.Context(), data, r); err != nil {
					b.Fatal(err)
				}
				times[i] = min(times[i], time.Since(start))
				cpu[e] += cpuTime(b, there) - used
			}
		}
	}
	for e, name := range map[engine.Engine]string{here: "cpu-ms-here", there: "cpu-ms-isolated"} {
		b.ReportMetric(cpu[e].Seconds()*1000/float64(n*len(images)), name)
	}
	sum := map[engine.Engine]time.Duration{}
	for e, times := range best {
		for _, t := range times {
			sum[e] += t
		}
	}
	perPhoto := func(e engine.Engine) float64 { return sum[e].Seconds() * 1000 / float64(len(images)) }
	b.ReportMetric(perPhoto(here), "ms-here")
	b.ReportMetric(perPhoto(there), "ms-isolated")
	b.ReportMetric(100*(perPhoto(there)/perPhoto(here)-1), "%-overhead")
}

// cpuTime is what this process and e's child have used.
func cpuTime(b *testing.B, e *Engine) time.Duration {
	b.Helper()
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		b.Fatal(err)
	}
	sum := time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
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

// photos reads the files that ISOLATE_BENCH_PHOTOS names.
func photos(b *testing.B) [][]byte {
	names, err := filepath.Glob(os.Getenv("ISOLATE_BENCH_PHOTOS"))
	if err != nil || len(names) == 0 {
		b.Skip("set ISOLATE_BENCH_PHOTOS to a pattern of photos")
	}
	var all [][]byte
	for _, n := range names {
		data, err := os.ReadFile(n)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, data)
	}
	return all
}
