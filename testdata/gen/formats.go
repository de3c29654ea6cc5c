package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"sort"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/testdata/gen/jpegenc"
)

// picture is a scene that is painted when first asked for, and once.
type picture func() image.Image

func (p picture) jpeg(opt jpegenc.Options) func() ([]byte, error) {
	return func() ([]byte, error) { return jpegenc.Encode(p(), opt), nil }
}

func (p picture) png() ([]byte, error) {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestCompression}
	err := enc.Encode(&b, p())
	return b.Bytes(), err
}

// png8 drops the lower half of each sample.
func (p picture) png8() ([]byte, error) {
	return picture(func() image.Image { return eightBit(p()) }).png()
}

func (p picture) bmp() ([]byte, error) {
	var b bytes.Buffer
	err := bmp.Encode(&b, opaque(p()))
	return b.Bytes(), err
}

func (p picture) tiff() ([]byte, error) {
	var b bytes.Buffer
	err := tiff.Encode(&b, eightBit(p()), &tiff.Options{Compression: tiff.Deflate, Predictor: true})
	return b.Bytes(), err
}

func (p picture) gif(colours int) func() ([]byte, error) {
	return func() ([]byte, error) {
		m := eightBit(p())
		return encodeGIF(&gif.GIF{Image: []*image.Paletted{dither(m, medianCut(m, colours))}, Delay: []int{0}})
	}
}

func (p picture) palettePNG(colours int) func() ([]byte, error) {
	return func() ([]byte, error) {
		m := eightBit(p())
		return picture(func() image.Image { return dither(m, medianCut(m, colours)) }).png()
	}
}

func encodeGIF(g *gif.GIF) ([]byte, error) {
	var b bytes.Buffer
	err := gif.EncodeAll(&b, g)
	return b.Bytes(), err
}

func eightBit(m image.Image) *image.NRGBA {
	out := image.NewNRGBA(m.Bounds())
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out
}

func opaque(m image.Image) *image.RGBA {
	out := image.NewRGBA(m.Bounds())
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out
}

func dither(m image.Image, pal color.Palette) *image.Paletted {
	out := image.NewPaletted(m.Bounds(), pal)
	draw.FloydSteinberg.Draw(out, out.Rect, m, m.Bounds().Min)
	return out
}

// medianCut finds n colours for a picture: it splits the box of colours with the longest side, again and again.
func medianCut(m *image.NRGBA, n int) color.Palette {
	var all [][3]int
	for i := 0; i < len(m.Pix); i += 4 * 7 {
		all = append(all, [3]int{int(m.Pix[i]), int(m.Pix[i+1]), int(m.Pix[i+2])})
	}
	boxes := [][][3]int{all}
	for len(boxes) < n {
		best, axis, longest := -1, 0, 0
		for i, b := range boxes {
			for k := range 3 {
				lo, hi := 255, 0
				for _, c := range b {
					lo, hi = min(lo, c[k]), max(hi, c[k])
				}
				if hi-lo > longest {
					best, axis, longest = i, k, hi-lo
				}
			}
		}
		if best < 0 {
			break
		}
		b := boxes[best]
		sort.SliceStable(b, func(i, j int) bool { return b[i][axis] < b[j][axis] })
		half := len(b) / 2
		boxes[best] = b[:half]
		boxes = append(boxes, b[half:])
	}
	var pal color.Palette
	for _, b := range boxes {
		var sum [3]int
		for _, c := range b {
			for k := range sum {
				sum[k] += c[k]
			}
		}
		k := max(len(b), 1)
		pal = append(pal, color.NRGBA{uint8(sum[0] / k), uint8(sum[1] / k), uint8(sum[2] / k), 255})
	}
	return pal
}

// exif is an APP1 segment with a camera's name and the orientation, 1 to 8.
func exif(orientation int) []byte {
	b := []byte{0xe1}
	b = append(b, "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08"...)
	name := "Imagefarm Box Camera\x00"
	const entries = 2
	b = binary.BigEndian.AppendUint16(b, entries)
	// The camera's model: ASCII, behind the directory.
	b = binary.BigEndian.AppendUint16(b, 0x0110)
	b = binary.BigEndian.AppendUint16(b, 2)
	b = binary.BigEndian.AppendUint32(b, uint32(len(name)))
	b = binary.BigEndian.AppendUint32(b, 8+2+entries*12+4)
	// The orientation: one SHORT.
	b = binary.BigEndian.AppendUint16(b, 0x0112)
	b = binary.BigEndian.AppendUint16(b, 3)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(orientation))
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, 0)
	return append(b, name...)
}

// stored is how a camera stores a picture that is shown upright by way of the orientation.
func stored(m image.Image, orientation int) image.Image {
	w, h := m.Bounds().Dx(), m.Bounds().Dy()
	r := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		r = image.Rect(0, 0, h, w)
	}
	out := image.NewNRGBA64(r)
	for y := range r.Dy() {
		for x := range r.Dx() {
			sx, sy := x, y
			switch orientation {
			case 2:
				sx = w - 1 - x
			case 3:
				sx, sy = w-1-x, h-1-y
			case 4:
				sy = h - 1 - y
			case 5:
				sx, sy = y, x
			case 6:
				sx, sy = w-1-y, x
			case 7:
				sx, sy = w-1-y, h-1-x
			case 8:
				sx, sy = y, h-1-x
			}
			out.Set(x, y, m.At(sx, sy))
		}
	}
	return out
}
