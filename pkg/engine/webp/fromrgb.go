package webp

import (
	"image"
	"math"
	"sync"
)

// planesOf returns the pixels of an opaque image as planes in the limited range, in which colour has half of the width
// and height. As in libwebp (src/enc/picture_csp_enc.c), the mean of four pixels is one of light, not of samples. So
// fine patterns of strong colours keep their brightness.
func planesOf(img *image.NRGBA) *image.YCbCr {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	light := lightOnce()
	out := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := 0; y < h; y += 2 {
		first, second := img.Pix[y*img.Stride:][:4*w], img.Pix[min(y+1, h-1)*img.Stride:][:4*w]
		lumaRow(out.Y[y*out.YStride:], first)
		if y+1 < h {
			lumaRow(out.Y[(y+1)*out.YStride:], second)
		}
		at := y / 2 * out.CStride
		light.colorRow(out.Cb[at:], out.Cr[at:], first, second)
	}
	return out
}

// The factors of red, green and blue are those of BT.601, for the limited range, with 16 bits of fraction.

func lumaRow(dst, pixels []byte) {
	for x := 0; x < len(pixels); x += 4 {
		p := pixels[x : x+3 : x+3]
		dst[x/4] = byte((16839*int32(p[0]) + 33059*int32(p[1]) + 6420*int32(p[2]) + 16<<16 + 1<<15) >> 16)
	}
}

// colorRow makes a row of Cb and Cr of two rows of pixels.
func (l *light) colorRow(cb, cr, first, second []byte) {
	for x := 0; x < len(first); x += 8 {
		right := min(x+4, len(first)-4)
		var mean [3]int32 // of a channel, in quarters
		for c := range mean {
			mean[c] = l.mean(first[x+c], first[right+c], second[x+c], second[right+c])
		}
		r, g, b := mean[0], mean[1], mean[2]
		cb[x/8] = colorSample(-9719*r - 19081*g + 28800*b)
		cr[x/8] = colorSample(28800*r - 24116*g - 4684*b)
	}
}

// colorSample rounds a sum of quarters.
func colorSample(sum int32) byte {
	const bits = 16 + 2
	return byte(min(max((sum+128<<bits+1<<(bits-1))>>bits, 0), 255))
}

// Light has lightBits. Its power is a compromise between that of screens and none.
const (
	lightBits  = 12
	lightPower = 0.8
)

// light takes samples to amounts of light, and those to samples in quarters.
type light struct {
	of     [256]uint16
	sample [1<<lightBits + 1]uint16
}

// lightOnce makes the tables when a picture first needs them: each child process would do it as it starts.
var lightOnce = sync.OnceValue(func() *light {
	l := new(light)
	for v := range l.of {
		l.of[v] = uint16(math.Pow(float64(v)/255, lightPower)*(1<<lightBits-1) + 0.5)
	}
	for v := range l.sample {
		l.sample[v] = uint16(4*255*math.Pow(float64(v)/(1<<lightBits-1), 1/lightPower) + 0.5)
	}
	return l
})

// mean returns the sample, in quarters, of the mean light of four.
func (l *light) mean(a, b, c, d byte) int32 {
	sum := int32(l.of[a]) + int32(l.of[b]) + int32(l.of[c]) + int32(l.of[d])
	return int32(l.sample[(sum+2)>>2])
}
