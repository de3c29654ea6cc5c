package picture

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func randomRow(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		if b[i] = byte(r.Uint32()); r.IntN(4) == 0 { // so that extremes are met
			b[i] = byte(-r.IntN(2))
		}
	}
	return b
}

// What assembly does is what plain Go does, and what NRGBA does.
func TestRowsOfHalvedColoursAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		n := 1 + r.IntN(70)
		of, limited := Matrix(r.IntN(3)), r.IntN(2) == 0
		ys, cbs, crs, alpha := randomRow(r, n), randomRow(r, (n+1)/2), randomRow(r, (n+1)/2), randomRow(r, n)
		got, plain := make([]byte, 4*n), make([]byte, 4*n)
		HalvedRow(got, ys, cbs, crs, alpha, of, limited)
		m := matrixOf(of, limited)
		m.halved(plain, ys, cbs, crs, alpha)
		if !bytes.Equal(got, plain) {
			t.Fatalf("%d pixels:\n%v\n%v", n, got, plain)
		}
		p := &Picture{Model: YCbCr, Matrix: of, Limited: limited, Planes: []Plane{
			Whole(ys, n, 1), Whole(cbs, (n+1)/2, 1), Whole(crs, (n+1)/2, 1),
		}}
		for i := range p.Planes[1:] {
			p.Planes[1+i].Across.Length = float64(n) / 2
		}
		opacity := Whole(alpha, n, 1)
		p.Alpha = &opacity
		if want := p.NRGBA().Pix; !bytes.Equal(got, want) {
			t.Fatalf("%d pixels:\n%v, not\n%v", n, got, want)
		}
	}
}

func TestRowsOfWholeColoursAreAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 500 {
		n := 1 + r.IntN(70)
		m := matrixOf(Matrix(r.IntN(3)), r.IntN(2) == 0)
		ys, cbs, crs := randomRow(r, n), randomRow(r, n), randomRow(r, n)
		got, plain := make([]byte, 4*n), make([]byte, 4*n)
		m.row(got, ys, cbs, crs)
		m.plainRow(plain, ys, cbs, crs)
		if !bytes.Equal(got, plain) {
			t.Fatalf("%d pixels:\n%v, not\n%v", n, got, plain)
		}
	}
}

func TestAlphaIsAlike(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		row := randomRow(r, 4*(1+r.IntN(40)))
		if r.IntN(3) == 0 { // all but one pixel opaque, or all
			for i := 3; i < len(row); i += 4 {
				row[i] = 255
			}
			row[r.IntN(len(row)/4)*4+3] -= byte(r.IntN(2))
		}
		want, wantOpaque := bytes.Clone(row), true
		for i := 0; i < len(row); i += 4 {
			a := row[i+3]
			wantOpaque = wantOpaque && a == 255
			for j := i; j < i+3; j++ {
				want[j] = times(row[j], a)
			}
		}
		before := bytes.Clone(row)
		if got := Alpha(row, 4, false); got != wantOpaque || !bytes.Equal(row, before) {
			t.Fatalf("opaque: %v, of %v", got, before)
		}
		if got := Alpha(row, 4, true); got != wantOpaque || !bytes.Equal(row, want) {
			t.Fatalf("opaque: %v; of %v\n%v, not\n%v", got, before, row, want)
		}
	}
}
