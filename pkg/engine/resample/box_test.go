package resample

import (
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

func TestABoxIsTheMeanOfItsSquare(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		w, h, n, factor := 1+rng.IntN(150), 1+rng.IntN(40), 1+rng.IntN(4), 1+rng.IntN(9)
		if rng.IntN(10) == 0 {
			factor = MaxBox
		}
		pix := make([]byte, w*h*n)
		for i := range pix {
			pix[i] = byte(rng.Uint32()) | byte(-(rng.Uint32() & 1))
		}
		var planes []*picture.Plane
		pw, ph := (w+factor-1)/factor, (h+factor-1)/factor
		for range n {
			p := picture.Whole(make([]byte, pw*ph), pw, ph)
			planes = append(planes, &p)
		}
		b := NewBox(planes, factor, w)
		for y := range h {
			b.Row(pix[y*w*n:][:w*n])
		}
		b.Close()
		for c, p := range planes {
			for i, got := range p.Pix {
				sum, count := 0, 0
				for y := i / pw * factor; y < min((i/pw+1)*factor, h); y++ {
					for x := i % pw * factor; x < min((i%pw+1)*factor, w); x++ {
						sum += int(pix[(y*w+x)*n+c])
						count++
					}
				}
				if want := (2*sum + count) / (2 * count); int(got) != want && 2*sum%count != 0 ||
					max(int(got)-want, want-int(got)) > 1 {
					t.Fatalf("%d×%d pixels of %d samples by %d: sample %d of plane %d is %d, want %d", w, h, n, factor, i, c, got,
						want)
				}
			}
		}
	}
}
