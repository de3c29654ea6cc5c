package reference

import (
	"math/rand/v2"
	"testing"
)

// The finder looks at few colours; it must find what looking at all of them finds.
func TestNearestColorIsThatOfAll(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, kind := range []struct {
		name   string
		colors int
		opaque bool
		spread int // of the palette's channels: dense palettes have equally near colours
	}{{"opaque", 256, true, 256}, {"opacities", 255, false, 256}, {"dense", 200, false, 20}, {"two", 2, true, 256}} {
		t.Run(kind.name, func(t *testing.T) {
			palette := make([][4]uint8, kind.colors)
			for i := range palette {
				for c := range palette[i] {
					palette[i][c] = uint8(rng.IntN(kind.spread))
				}
				if kind.opaque {
					palette[i][3] = 255
				}
			}
			f := newFinder(palette)
			for range 20_000 {
				c := [4]uint8{uint8(rng.Uint32()), uint8(rng.Uint32()), uint8(rng.Uint32()), uint8(rng.Uint32())}
				if kind.opaque {
					c[3] = 255
				}
				best, want := 1<<30, 0
				for i, p := range palette {
					r, g, b, a := int(p[0])-int(c[0]), int(p[1])-int(c[1]), int(p[2])-int(c[2]), int(p[3])-int(c[3])
					if d := 2*r*r + 4*g*g + 3*b*b + 4*a*a; d < best {
						best, want = d, i
					}
				}
				if got := f.nearest(c); int(got) != want {
					t.Fatalf("%v is nearest to %d, %v, not to %d, %v", c, want, palette[want], got, palette[got])
				}
			}
		})
	}
}
