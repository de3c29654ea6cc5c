package ledger

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/taskid"
)

// resident returns how much of this process's own memory, and of the files it maps, is in memory; 0 where unknown.
func resident() (own, files float64) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		var kb float64
		if n, _ := fmt.Sscanf(line, "RssAnon: %f kB", &kb); n == 1 {
			own = kb / 1024
		}
		if n, _ := fmt.Sscanf(line, "RssFile: %f kB", &kb); n == 1 {
			files = kb / 1024
		}
	}
	return own, files
}

// BenchmarkMillion fills a ledger with a million entries, in batches as they come when a farm is not busy (50) and when
// it is (1000), each synced, and measures what follows: run it with -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	const n = 1_000_000
	for _, size := range []int{50, 1000} {
		b.Run(fmt.Sprintf("batch=%d", size), func(b *testing.B) {
			for range b.N {
				path := filepath.Join(b.TempDir(), "ledger.db")
				l, err := Open(path, Config{})
				if err != nil {
					b.Fatal(err)
				}
				fill(b, l, n, size)
				own, files := resident()
				b.ReportMetric(own, "own-MB")
				b.ReportMetric(files, "mapped-MB")
				measure(b, l, n)
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
				begun := time.Now()
				if l, err = Open(path, Config{}); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(begun).Seconds(), "open-s")
				if err := l.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func fill(b *testing.B, l *Ledger, n, size int) {
	begun, last := time.Now(), time.Duration(0)
	batch := make([]Entry, size)
	for i := 0; i < n; i += size {
		for j := range batch {
			batch[j] = testEntry(i + j)
		}
		commit := time.Now()
		appendAll(b, l, batch...)
		if i >= n*9/10 {
			last += time.Since(commit)
		}
	}
	b.ReportMetric(float64(n)/time.Since(begun).Seconds(), "entries/s")
	b.ReportMetric(last.Seconds()*1000/float64(n/10/size), "late-ms/commit")
	used, err := l.Size()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(used)/float64(n), "B/entry")
}

func measure(b *testing.B, l *Ledger, n int) {
	begun := time.Now()
	ids := make([]taskid.ID, 1000)
	for i := 0; i < n; i += len(ids) {
		for j := range ids {
			ids[j] = testID(i + j)
		}
		if _, err := l.Settled(ids); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(time.Since(begun).Seconds(), "settled-all-s")
	begun = time.Now()
	if err := l.Walk(context.Background(), 0, func(Entry) error { return nil }); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(begun).Seconds(), "walk-s")
	begun = time.Now()
	if err := l.Check(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(begun).Seconds(), "check-s")
	runtime.GC()
}
