//go:build unix

package ledger

import (
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// processorTime returns the time that this process has used of all processors.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkCommit measures the processor time of commits to a ledger that has many entries already: run it with
// -benchtime 500x.
func BenchmarkCommit(b *testing.B) {
	const filled = 100_000
	for _, size := range []int{50, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			l, err := Open(filepath.Join(b.TempDir(), "ledger.db"), Config{})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			const atOnce = 5000
			batch := make([]Entry, atOnce)
			for i := 0; i < filled; i += atOnce {
				for j := range batch {
					batch[j] = testEntry(i + j)
				}
				appendAll(b, l, batch...)
			}
			batch = batch[:size]
			var begun, used time.Duration
			b.ResetTimer()
			for i := range b.N {
				b.StopTimer()
				for j := range batch {
					batch[j] = testEntry(filled + i*size + j)
				}
				begun = processorTime(b)
				b.StartTimer()
				appendAll(b, l, batch...)
				used += processorTime(b) - begun
			}
			b.ReportMetric(float64(used.Microseconds())/float64(b.N), "cpu-µs/commit")
			bytes, err := l.Size()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(bytes)/float64(filled+b.N*size), "B/entry")
		})
	}
}
