package vp8l

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRead reads the lossless WebP files in the directory $WEBP_CORPUS.
func BenchmarkRead(b *testing.B) {
	dir := os.Getenv("WEBP_CORPUS")
	if dir == "" {
		b.Skip("WEBP_CORPUS names no directory with lossless WebP files")
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.webp"))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		at := bytes.Index(data, []byte("VP8L"))
		if at < 0 {
			continue
		}
		b.Run(filepath.Base(name), func(b *testing.B) {
			for b.Loop() {
				if _, err := decode(data[at+8:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
