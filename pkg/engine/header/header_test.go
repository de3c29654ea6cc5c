package header

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("../../../testdata/hostile/*")
	for _, file := range files {
		if data, err := os.ReadFile(file); err == nil && len(data) < 64<<10 {
			f.Add(data)
		}
	}
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x01\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avifmif1\x00\x00\x00\x40meta\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Read(data)
		if err != nil {
			var r *outcome.Rejection
			if !errors.As(err, &r) {
				t.Fatalf("%v is no rejection", err)
			}
			return
		}
		if info.Width < 1 || info.Height < 1 || info.Frames < 1 || info.Orientation < 1 || info.Orientation > 8 {
			t.Fatalf("%+v", info)
		}
		info.Metadata()
	})
}
