package enginetest

import (
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/webp"
)

// Source is a picture in one kind of file.
type Source struct {
	Name    string
	Data    []byte
	Picture *image.NRGBA // what the file shows, upright
	Near    float64      // how near to it a decoder must come, in decibels
}

// Soft paints what every kind of file holds well: soft colours and one edge. With alpha, it fades into transparent red.
func Soft(w, h int, alpha bool) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := (float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)
			c := color.NRGBA{
				level(60 + 130*u + 30*math.Sin(4*v)), level(50 + 120*v + 30*math.Cos(3*u)), level(170 - 90*u*v), 255,
			}
			if u > 0.3 && u < 0.6 && v > 0.2 && v < 0.5 {
				c.R, c.G, c.B = c.R+40, c.G+40, c.B+40
			}
			if alpha {
				if c.A = level(600*v - 150*u - 100); c.A == 0 {
					c = color.NRGBA{R: 255}
				}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// Sources returns pictures of w×h pixels in every kind of file that can be written here.
func Sources(w, h int) []Source {
	opaque, alpha := Soft(w, h, false), Soft(w, h, true)
	gray := grayOf(opaque)
	all := jpegSources(opaque, gray)
	all = append(all, pngSources(opaque, alpha)...)
	lossless := func(img *image.NRGBA) []byte {
		data, err := webp.Encode(img, webp.Options{Lossless: true, Effort: 2})
		must(err)
		return data
	}
	inks := NRGBA(opaque) // cyan, magenta, yellow, and no black
	for i := range inks.Pix {
		if inks.Pix[i] = ^inks.Pix[i]; i%4 == 3 {
			inks.Pix[i] = 0
		}
	}
	few, shown := websafeOf(opaque)
	cut := image.NewPaletted(few.Rect, append(color.Palette{color.NRGBA{}}, few.Palette...))
	holed := NRGBA(shown)
	for i, index := range few.Pix {
		if cut.Pix[i] = index + 1; alpha.Pix[4*i+3] == 0 {
			cut.Pix[i] = 0
			copy(holed.Pix[4*i:], []byte{0, 0, 0, 0})
		}
	}
	return append(all,
		Source{"TIFF", TIFF(opaque), opaque, 90},
		Source{"TIFF, alpha", TIFF(alpha), alpha, 50},
		Source{"TIFF, 16 bits", TIFF(deepOfPicture(opaque)), opaque, 90},
		Source{"TIFF, 16 bits, alpha", TIFF(deepOfPicture(alpha)), alpha, 50},
		Source{"TIFF, gray", TIFF(grayImage(gray)), gray, 90},
		Source{"TIFF, palette", TIFF(few), shown, 90},
		Source{"TIFF, CMYK", retagTIFF(TIFF(inks), 262, 3, 1, 5), opaque, 50},
		Source{"BMP", BMP(opaque), opaque, 90},
		Source{"BMP, alpha", bmpOf32Bits(alpha, 0xff000000), alpha, 90},
		Source{"BMP, palette", BMP(few), shown, 90},
		Source{"BMP, gray", BMP(grayImage(gray)), gray, 90},
		Source{"GIF", GIF(w, h, few), shown, 90},
		Source{"GIF, alpha", GIF(w, h, cut), holed, 90},
		Source{"WebP", WebP(opaque), opaque, 34},
		Source{"WebP, alpha", WebP(alpha), alpha, 34},
		Source{"WebP, lossless", lossless(opaque), opaque, 90},
		Source{"WebP, lossless, alpha", lossless(alpha), alpha, 90},
	)
}

func jpegSources(opaque, gray *image.NRGBA) (all []Source) {
	add := func(name string, data []byte, shows *image.NRGBA) {
		all = append(all, Source{"JPEG, " + name, data, shows, 34})
	}
	for _, s := range [][2]int{{1, 1}, {2, 1}, {2, 2}, {1, 2}} {
		for _, progressive := range []bool{false, true} {
			name := fmt.Sprintf("luma %d×%d", s[0], s[1])
			if progressive {
				name += ", progressive"
			}
			add(name, JPEG(opaque, JPEGOptions{Sampling: s, Progressive: progressive}), opaque)
		}
	}
	add("restart markers", JPEG(opaque, JPEGOptions{Restart: 1}), opaque)
	add("gray", JPEG(opaque, JPEGOptions{Gray: true}), gray)
	add("gray, progressive", JPEG(opaque, JPEGOptions{Gray: true, Progressive: true}), gray)
	for o := 1; o <= 8; o++ {
		add(fmt.Sprintf("orientation %d", o), JPEG(Stored(opaque, o),
			JPEGOptions{Progressive: o%2 == 0, Segments: [][]byte{exifSegment(o)}}), opaque)
	}
	return all
}

// pngSources returns every type of colour with every depth.
func pngSources(opaque, alpha *image.NRGBA) (all []Source) {
	gray := grayOf(opaque)
	for _, kind := range []struct{ kind, depth int }{
		{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1}, {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8},
		{6, 16},
	} {
		for _, interlaced := range []bool{false, true} {
			for _, cleared := range []bool{false, true} {
				if kind.kind >= 4 && cleared {
					continue // tRNS stands beside samples of alpha in no file
				}
				all = append(all, pngSource(kind.kind, kind.depth, interlaced, cleared, opaque, gray, alpha))
			}
		}
	}
	return all
}

// pngSource writes one type of colour and depth. With cleared, what alpha hides has a colour that tRNS makes clear.
func pngSource(kind, depth int, interlaced, cleared bool, opaque, gray, alpha *image.NRGBA) Source {
	size := opaque.Rect.Size()
	most := 1<<depth - 1
	shows := image.NewNRGBA(opaque.Rect)
	samples := make([]func(x, y int) int, 4)
	hidden := func(x, y int) bool { return cleared && alpha.NRGBAAt(x, y).A == 0 }
	var extra [][]byte
	switch kind {
	case 0, 4:
		samples[0] = func(x, y int) int {
			if v := (int(gray.NRGBAAt(x, y).R)*most + 127) / 255; !cleared || v != most || hidden(x, y) {
				if hidden(x, y) {
					return most
				}
				return v
			}
			return most - 1
		}
		samples[1] = func(x, y int) int { return int(alpha.NRGBAAt(x, y).A) * most / 255 }
		if cleared {
			extra = append(extra, pngChunk("tRNS", []byte{byte(most >> 8), byte(most)}))
		}
	case 3:
		var colors, opacity []byte
		for i := range most + 1 {
			colors = append(colors, byte(255*i/most), byte(255-200*i/most), byte(40+100*i/most))
			opacity = append(opacity, 255)
		}
		opacity[most] = 0
		extra = append(extra, pngChunk("PLTE", colors))
		if cleared {
			extra = append(extra, pngChunk("tRNS", opacity))
		}
		samples[0] = func(x, y int) int {
			if hidden(x, y) {
				return most
			}
			return min(int(gray.NRGBAAt(x, y).R)*(most+1)/256, most-1)
		}
	default:
		for c := range 3 {
			samples[c] = func(x, y int) int {
				if hidden(x, y) {
					return [3]int{most, 0, most}[c]
				}
				from := opaque
				if kind == 6 {
					from = alpha
				}
				return int(from.Pix[from.PixOffset(x, y)+c]) * most / 255
			}
		}
		samples[3] = func(x, y int) int { return int(alpha.NRGBAAt(x, y).A) * most / 255 }
		if cleared {
			high := byte(most >> 8)
			extra = append(extra, pngChunk("tRNS", []byte{high, byte(most), 0, 0, high, byte(most)}))
		}
	}
	for y := range size.Y {
		for x := range size.X {
			v := func(c int) uint8 { return uint8((samples[c](x, y)*255 + most/2) / most) }
			c := color.NRGBA{A: 255}
			switch kind {
			case 0, 4:
				c.R, c.G, c.B = v(0), v(0), v(0)
			case 3:
				p := extra[0][8+3*samples[0](x, y):]
				c.R, c.G, c.B = p[0], p[1], p[2]
			default:
				c.R, c.G, c.B = v(0), v(1), v(2)
			}
			if kind >= 4 {
				c.A = alpha.NRGBAAt(x, y).A
			} else if hidden(x, y) {
				c.A = 0
			}
			shows.SetNRGBA(x, y, c)
		}
	}
	name := fmt.Sprintf("PNG, type %d, %d bits", kind, depth)
	if interlaced {
		name += ", interlaced"
	}
	if cleared {
		name += ", tRNS"
	}
	data := rawPNG(size.X, size.Y, depth, kind, interlaced, extra, func(x, y, c int) int { return samples[c](x, y) })
	return Source{name, data, shows, 90}
}

// websafeOf returns a picture in 216 colours, and what it then shows.
func websafeOf(img *image.NRGBA) (few *image.Paletted, shown *image.NRGBA) {
	few = image.NewPaletted(img.Rect, palette.WebSafe)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			few.Set(x, y, img.NRGBAAt(x, y))
		}
	}
	return few, NRGBA(few)
}

func grayImage(gray *image.NRGBA) *image.Gray {
	out := image.NewGray(gray.Rect)
	for i := range out.Pix {
		out.Pix[i] = gray.Pix[4*i]
	}
	return out
}

// deepOfPicture returns the same picture with 16 bits a sample.
func deepOfPicture(img *image.NRGBA) *image.NRGBA64 {
	out := image.NewNRGBA64(img.Rect)
	for i, v := range img.Pix {
		out.Pix[2*i], out.Pix[2*i+1] = v, v
	}
	return out
}

// Transparent returns a picture whose pixels are opaque or wholly clear in every kind of file that holds opacity. What
// is clear keeps its colour where a file can hold that.
func Transparent(img *image.NRGBA) []Source {
	size := img.Rect.Size()
	samples := func(depth int) func(x, y, c int) int {
		return func(x, y, c int) int { return int(img.Pix[img.PixOffset(x, y)+c]) * (1<<depth - 1) / 255 }
	}
	grays := func(depth int) func(x, y, c int) int {
		return func(x, y, _ int) int { return int(img.NRGBAAt(x, y).A) * (1<<depth - 1) / 255 }
	}
	few := image.NewPaletted(img.Rect, color.Palette{color.NRGBA{R: 255}, color.White})
	for i := range few.Pix {
		few.Pix[i] = img.Pix[4*i+3] >> 7
	}
	index := func(x, y, _ int) int { return int(few.ColorIndexAt(x, y)) }
	colors := [][]byte{pngChunk("PLTE", []byte{255, 0, 0, 255, 255, 255}), pngChunk("tRNS", []byte{0})}
	key := [][]byte{pngChunk("tRNS", []byte{0, 255, 0, 0, 0, 0})}
	black := [][]byte{pngChunk("tRNS", []byte{0, 0})}
	var all []Source
	add := func(name string, data []byte) { all = append(all, Source{Name: name, Data: data, Picture: img}) }
	for _, interlaced := range []bool{false, true} {
		name := map[bool]string{true: ", interlaced"}[interlaced]
		png := func(depth, kind int, extra [][]byte, sample func(x, y, c int) int) []byte {
			return rawPNG(size.X, size.Y, depth, kind, interlaced, extra, sample)
		}
		add("PNG"+name, png(8, 6, nil, samples(8)))
		add("PNG, 16 bits"+name, png(16, 6, nil, samples(16)))
		add("PNG, gray"+name, png(8, 4, nil, grays(8)))
		add("PNG, gray, 16 bits"+name, png(16, 4, nil, grays(16)))
		add("PNG, palette"+name, png(1, 3, colors, index))
		add("PNG, a clear colour"+name, png(8, 2, key, samples(8)))
		add("PNG, a clear gray"+name, png(1, 0, black, grays(1)))
	}
	lossless, err := webp.Encode(img, webp.Options{Lossless: true, Effort: 2})
	must(err)
	add("TIFF", TIFF(img))
	add("TIFF, 16 bits", TIFF(deepOfPicture(img)))
	add("BMP", bmpOf32Bits(img, 0xff000000))
	add("GIF", GIF(size.X, size.Y, few))
	add("WebP, lossless", lossless)
	return all
}
