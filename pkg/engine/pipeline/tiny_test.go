package pipeline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// Pictures of few pixels pass through every operation and every encoder, as in the reference.
func TestTinyPictures(t *testing.T) {
	ours, theirs := besideReference(t)
	exact := map[string]bool{"png": true, "tiff": true, "webp,lossless:yes": true}
	for _, size := range [][2]int{{1, 1}, {3, 2}, {1, 90}, {131, 1}} {
		for k, s := range sources(size[0], size[1]) {
			full := decoded(t, outputs(t, ours, s.Data, "x=format:png")[0])
			if d := enginetest.PSNR(full, s.Picture); d < s.Near-16 { // a colour for several pixels is far from each
				t.Errorf("%s of %v: %.1f dB from its picture", s.Name, size, d)
				continue
			}
			plain := enginetest.PNG(full)
			for i, op := range everyOperation {
				if (i+k)%9 != 0 || strings.HasPrefix(op, "orient") {
					continue
				}
				to := []string{"png", "jpeg", "webp", "tiff", "gif", "webp,lossless:yes"}[i%6]
				variant := fmt.Sprintf("x=%s,format:%s", op, to)
				got := outputs(t, ours, s.Data, variant)[0]
				want := outputs(t, theirs, plain, fmt.Sprintf("x=%s,format:png", op))[0]
				if got.Width != want.Width || got.Height != want.Height {
					t.Errorf("%s of %v, %s: %d×%d, want %d×%d", s.Name, size, variant, got.Width, got.Height, want.Width,
						want.Height)
				} else if d := enginetest.PSNR(decoded(t, got), decoded(t, want)); d < 22 && exact[to] {
					t.Errorf("%s of %v, %s: %.1f dB from the reference", s.Name, size, variant, d)
				}
			}
		}
	}
}
