package header

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// A zone that no clock has is left out, and so is a zone with fractions of a second before it.
func TestOddZonesOfATimeAreLeftOut(t *testing.T) {
	const local = "2024-05-17T12:30:45"
	for zone, want := range map[string]string{
		"": local, "+02:00": local + "+02:00", "Z": local + "Z", "-11:30": local + "-11:30",
		"+23:59": local, "-24:00": local, ".123+02:00": local, "." + strings.Repeat("0", 300): local, "CEST": local,
	} {
		got := captured("2024:05:17 12:30:45", zone)
		if err := (&known.Facts{Captured: got}).Check(); got != want || err != nil {
			t.Errorf("zone %.20q: %q, not %q, %v", zone, got, want, err)
		}
	}
}

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
