//go:build unix

package ledger

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/cputime"
)

// BenchmarkCommit measures the processor time of commits to a ledger that has many entries already, and which part of
// it the index of outputs takes: run it with -benchtime 500x. A second ledger, in which all outputs are pruned and so
// belong to no entry, gets the same batches in turn.
func BenchmarkCommit(b *testing.B) {
	const filled = 100_000
	for _, size := range []int{50, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			indexed, plain := newFilled(b, filled, testEntry), newFilled(b, filled, prunedEntry)
			var all, without time.Duration
			b.ResetTimer()
			for i := range b.N {
				first := filled + i*size
				all += indexed.commit(b, first, size)
				without += plain.commit(b, first, size)
			}
			b.ReportMetric(float64(all.Microseconds())/float64(b.N), "cpu-µs/commit")
			b.ReportMetric(100*(1-without.Seconds()/all.Seconds()), "index-%")
			b.ReportMetric(indexed.bytesAnEntry(b, filled+b.N*size), "B/entry")
			b.ReportMetric(plain.bytesAnEntry(b, filled+b.N*size), "B/entry-without")
		})
	}
}

func prunedEntry(n int) Entry {
	e := testEntry(n)
	for i := range e.Outputs {
		e.Outputs[i].Pruned = true
	}
	return e
}

// filling is a ledger and what it is filled with.
type filling struct {
	*Ledger
	entry func(n int) Entry
}

func newFilled(b *testing.B, n int, entry func(int) Entry) *filling {
	l, err := Open(filepath.Join(b.TempDir(), "ledger.db"), Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	f := &filling{l, entry}
	const atOnce = 5000
	for i := 0; i < n; i += atOnce {
		f.commit(b, i, atOnce)
	}
	return f
}

// commit adds entries in one transaction and returns the processor time that this took.
func (f *filling) commit(b *testing.B, first, n int) time.Duration {
	batch := make([]Entry, n)
	for i := range batch {
		batch[i] = f.entry(first + i)
	}
	begun := cputime.Used()
	appendAll(b, f.Ledger, batch...)
	return cputime.Used() - begun
}

func (f *filling) bytesAnEntry(b *testing.B, n int) float64 {
	bytes, err := f.Size()
	if err != nil {
		b.Fatal(err)
	}
	return float64(bytes) / float64(n)
}
