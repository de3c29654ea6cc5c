package imaging

import (
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// interleave returns a picture as interleaved samples with straight alpha. Samples of colour are repeated where there are
// fewer of them than of luma. Decoders of HEIC and AVIF yield gray, YCbCr and RGB.
func interleave(p *picture.Picture) *image.NRGBA {
	w, h := p.Width(), p.Height()
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	columns := make([][]int, len(p.Planes))
	for i := range p.Planes {
		columns[i] = samples(p.Planes[i].Across, p.Planes[i].Width, w)
	}
	convert := newConversion(p)
	rows := make([][]byte, len(p.Planes))
	for y := range h {
		for i := range p.Planes {
			rows[i] = rowAt(&p.Planes[i], y, h)
		}
		to := out.Pix[y*out.Stride:][:4*w]
		for x := range w {
			a, b, c := rows[0][columns[0][x]], byte(0), byte(0)
			if len(rows) == 3 {
				b, c = rows[1][columns[1][x]], rows[2][columns[2][x]]
			}
			to[4*x], to[4*x+1], to[4*x+2] = convert(a, b, c)
			to[4*x+3] = 255
		}
		if p.Alpha != nil {
			setAlpha(p, to, y, w, h)
		}
	}
	return out
}

// setAlpha writes the opacity of a row, and divides the other samples by it where they were multiplied.
func setAlpha(p *picture.Picture, row []byte, y, w, h int) {
	alpha, columns := rowAt(p.Alpha, y, h), samples(p.Alpha.Across, p.Alpha.Width, w)
	for x := range w {
		a := int(alpha[columns[x]])
		pixel := row[4*x:][:4:4]
		pixel[3] = byte(a)
		if p.Premultiplied && a > 0 {
			for c := range 3 {
				pixel[c] = byte(min(255, (int(pixel[c])*255+a/2)/a))
			}
		}
	}
}

// rowAt returns the samples of the row that pixel row y of h lies in.
func rowAt(p *picture.Plane, y, h int) []byte {
	return p.Pix[sample(p.Down, p.Height, y, h)*p.Stride:][:p.Width]
}

// samples returns which sample each of n pixels lies in.
func samples(s picture.Span, size, n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = sample(s, size, i, n)
	}
	return list
}

func sample(s picture.Span, size, i, n int) int {
	return min(size-1, int(s.Begin+(float64(i)+0.5)*s.Length/float64(n)))
}

// newConversion returns what makes RGB of the three samples of a pixel.
func newConversion(p *picture.Picture) func(a, b, c byte) (byte, byte, byte) {
	if p.Model == picture.RGB {
		return func(r, g, b byte) (byte, byte, byte) { return r, g, b }
	}
	kr, kb := 0.299, 0.114
	switch p.Matrix {
	case picture.BT709:
		kr, kb = 0.2126, 0.0722
	case picture.BT2020:
		kr, kb = 0.2627, 0.0593
	}
	black, span, chroma := 0.0, 255.0, 255.0
	if p.Limited {
		black, span, chroma = 16, 219, 224
	}
	const unit = 1 << 16
	var luma, rOfCr, gOfCb, gOfCr, bOfCb [256]int
	for v := range 256 {
		luma[v] = int((float64(v)-black)*255/span*unit) + unit/2
		d := (float64(v) - 128) * 255 / chroma
		rOfCr[v], bOfCb[v] = int(2*(1-kr)*d*unit), int(2*(1-kb)*d*unit)
		gOfCr[v], gOfCb[v] = int(-2*(1-kr)*kr/(1-kr-kb)*d*unit), int(-2*(1-kb)*kb/(1-kr-kb)*d*unit)
	}
	level := func(v int) byte { return byte(min(255, max(0, v>>16))) }
	if p.Model == picture.Gray {
		return func(y, _, _ byte) (byte, byte, byte) { v := level(luma[y]); return v, v, v }
	}
	return func(y, cb, cr byte) (byte, byte, byte) {
		l := luma[y]
		return level(l + rOfCr[cr]), level(l + gOfCb[cb] + gOfCr[cr]), level(l + bOfCb[cb])
	}
}
