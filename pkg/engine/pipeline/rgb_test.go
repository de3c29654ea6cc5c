package pipeline

import (
	"bytes"
	"strings"
	"testing"
)

// Planes of red, green and blue become a JPEG without becoming pixels first, and it has the bytes that pixels give.
func TestRGBIsEncodedLikePixels(t *testing.T) {
	ours, theirs := besideReference(t)
	compared := 0
	for _, s := range sources(131, 90) {
		if !strings.HasPrefix(s.Name, "PNG") && !strings.HasPrefix(s.Name, "BMP") && !strings.HasPrefix(s.Name, "TIFF") {
			continue
		}
		if !s.Picture.Opaque() {
			continue // multiplied by alpha at other places, and rounded
		}
		for _, variant := range []string{
			"x=format:jpeg", "x=format:jpeg,chroma:444", "x=rotate:90,format:jpeg", "x=crop:33x44,format:jpeg",
			"x=format:jpeg,quality:auto",
		} {
			got, want := outputs(t, ours, s.Data, variant)[0], outputs(t, theirs, s.Data, variant)[0]
			if compared++; !bytes.Equal(got.Data, want.Data) {
				t.Errorf("%s, %s: not the reference's bytes", s.Name, variant)
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d pictures were compared", compared)
	}
}
