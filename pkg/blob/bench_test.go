package blob

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
)

// BenchmarkPut measures outputs of 8 kB, three to an image, with a Flush after as many images as a ledger's commit
// takes.
func BenchmarkPut(b *testing.B) {
	for _, sync := range []Sync{SyncNever, SyncBatch, SyncEach} {
		for _, images := range []int{1, 10, 100} {
			b.Run(fmt.Sprintf("%s/images=%d", sync, images), func(b *testing.B) {
				d, err := OpenDir(filepath.Join(b.TempDir(), "out"), Config{Sync: sync})
				if err != nil {
					b.Fatal(err)
				}
				defer d.Close()
				data := make([]byte, 8<<10)
				n := 0
				for b.Loop() {
					for range 3 {
						if err := d.Put(context.Background(), fmt.Sprintf("2013/%d/%d.jpg", n/1000, n), data); err != nil {
							b.Fatal(err)
						}
						n++
					}
					if n/3%images == 0 {
						if err := d.Flush(context.Background()); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}
