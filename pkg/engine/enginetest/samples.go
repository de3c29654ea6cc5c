package enginetest

import (
	"bytes"
	"embed"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math"

	"github.com/gen2brain/jpegn"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/engine/webp"
)

//go:embed testdata
var files embed.FS

// File returns one of the pictures that no encoder at hand makes: quadrants.heic, turned.heic, quadrants.avif and
// turned.avif show Quadrants of 160×120 pixels, the turned ones asking to be shown turned clockwise; rgb.avif
// (coded as RGB without loss), ten-bits.avif (4:4:4) and limited.avif (4:2:2 in the limited range of BT.709) show
// them, too, from avifenc 0.11; cmyk.jpg (with Adobe's mark, and inverted as Adobe does) and 4-1-1.jpg show Photo
// of 243×165; ycck.jpg shows stripes of cyan, yellow and black, 32 pixels each, as GraphicsMagick agrees. Of JPEG
// XL, quadrants.jxl shows Quadrants without loss, alpha.jxl the same with its left half half transparent,
// turned.jxl the JPEG of them that asks to be turned, gray.jxl 64×48 levels that grow by 3, adobe.jxl the green
// (40, 200, 40) of Adobe RGB, and animated.jxl three frames with one, two and three stripes.
func File(name string) []byte {
	data, err := files.ReadFile("testdata/" + name)
	if err != nil {
		panic(err)
	}
	return data
}

// The colours of Quadrants, clockwise from the upper left.
var quadrants = [4]color.NRGBA{{255, 0, 0, 255}, {0, 192, 0, 255}, {255, 255, 255, 255}, {0, 0, 255, 255}}

// Quadrants paints red, green, white and blue, clockwise from the upper left.
func Quadrants(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := quadrants[0]
			switch right, low := 2*x >= w, 2*y >= h; {
			case right && low:
				c = quadrants[2]
			case right:
				c = quadrants[1]
			case low:
				c = quadrants[3]
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// Photo paints something like a photograph: soft gradients, edges, a texture, no symmetry.
func Photo(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			r := 90 + 120*u + 30*math.Sin(9*v)
			g := 60 + 100*v + 40*math.Cos(7*u+2*v)
			b := 180 - 120*v + 20*math.Sin(11*u)
			if (u-0.3)*(u-0.3)+(v-0.4)*(v-0.4) < 0.03 {
				r, g, b = 220, 190, 60
			}
			if u > 0.62 && u < 0.85 && v > 0.55 {
				k := 25 * math.Sin(float64(x*x%17)+float64(y)/3)
				r, g, b = 70+k, 60+k, 50+k
			}
			img.SetNRGBA(x, y, color.NRGBA{level(r), level(g), level(b), 255})
		}
	}
	return img
}

// Stored returns img as a file stores it whose orientation tag is o: applying o gives img back.
func Stored(img *image.NRGBA, o int) *image.NRGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	if o >= 5 {
		w, h = h, w
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			dx, dy := x, y // where the stored pixel is displayed
			switch o {
			case 2:
				dx = w - 1 - x
			case 3:
				dx, dy = w-1-x, h-1-y
			case 4:
				dy = h - 1 - y
			case 5:
				dx, dy = y, x
			case 6:
				dx, dy = h-1-y, x
			case 7:
				dx, dy = h-1-y, w-1-x
			case 8:
				dx, dy = y, w-1-x
			}
			out.SetNRGBA(x, y, img.NRGBAAt(dx, dy))
		}
	}
	return out
}

func level(v float64) uint8 { return uint8(min(255, max(0, v+0.5))) }

// JPEGOptions say how a JPEG is written. The zero value is baseline 4:2:0 with little loss.
type JPEGOptions struct {
	Quality     int    // 1 to 100; 0 means 95
	Sampling    [2]int // luma samples for one of chroma, horizontally and vertically: 1 or 2; default 2, 2
	Gray        bool
	Progressive bool
	Restart     int      // MCUs between restart markers; 0 for none
	Segments    [][]byte // as Segment makes them
}

// JPEG encodes img.
func JPEG(img image.Image, o JPEGOptions) []byte {
	if o.Quality == 0 {
		o.Quality = 95
	}
	sampling := map[[2]int]jpegn.Subsampling{
		{}: jpegn.Subsample420, {2, 2}: jpegn.Subsample420, {1, 1}: jpegn.Subsample444, {2, 1}: jpegn.Subsample422,
		{1, 2}: jpegn.Subsample440,
	}[o.Sampling]
	if o.Gray {
		sampling = jpegn.SubsampleGray
	}
	var b bytes.Buffer
	must(jpegn.Encode(&b, img, &jpegn.EncodeOptions{
		Quality: o.Quality, Subsampling: sampling, Progressive: o.Progressive, RestartInterval: o.Restart,
	}))
	return withSegments(b.Bytes(), o.Segments...)
}

// withSegments puts segments behind the first one of a JPEG.
func withSegments(data []byte, segments ...[]byte) []byte {
	at := 4 + int(binary.BigEndian.Uint16(data[4:]))
	if data[3] != 0xe0 {
		at = 2
	}
	out := bytes.Clone(data[:at])
	for _, s := range segments {
		out = append(out, 0xff, s[0])
		out = binary.BigEndian.AppendUint16(out, uint16(len(s)+1))
		out = append(out, s[1:]...)
	}
	return append(out, data[at:]...)
}

// EXIF returns a TIFF block: orientation, maker, artist, copyright, pixel size, and a directory for a thumbnail.
func EXIF(orientation int) []byte {
	type entry struct {
		tag, kind int
		text      string
		n         int
	}
	dir := []entry{
		{tag: 271, kind: 2, text: "Maker\x00"}, {tag: 274, kind: 3, n: orientation},
		{tag: 315, kind: 2, text: "Ada Painter\x00"}, {tag: 33432, kind: 2, text: "(c) Ada\x00"}, {tag: 34665, kind: 4},
	}
	order := binary.BigEndian
	out := []byte("MM\x00*\x00\x00\x00\x08")
	out = order.AppendUint16(out, uint16(len(dir)))
	values := 8 + 2 + 12*len(dir) + 4
	var extra []byte
	for _, e := range dir {
		out = order.AppendUint16(out, uint16(e.tag))
		out = order.AppendUint16(out, uint16(e.kind))
		switch {
		case e.kind == 2:
			out = order.AppendUint32(out, uint32(len(e.text)))
			out = order.AppendUint32(out, uint32(values+len(extra)))
			extra = append(extra, e.text...)
		case e.kind == 3:
			out = order.AppendUint32(out, 1)
			out = order.AppendUint16(order.AppendUint16(out, uint16(e.n)), 0)
		default:
			out = order.AppendUint32(out, 1)
			out = order.AppendUint32(out, 0) // set below
		}
	}
	sub := values + len(extra)
	order.PutUint32(out[8+2+12*4+8:], uint32(sub))
	out = order.AppendUint32(out, uint32(sub+18)) // a second directory
	out = append(out, extra...)
	out = append(out, 0, 1, 0xa0, 2, 0, 4, 0, 0, 0, 1, 0, 0, 99, 99, 0, 0, 0, 0) // PixelXDimension
	return append(out, 0, 0, 0, 0, 0, 0)
}

// Segment returns a JPEG segment for JPEGOptions.
func Segment(marker byte, parts ...[]byte) []byte {
	return append([]byte{marker}, bytes.Join(parts, nil)...)
}

func exifSegment(orientation int) []byte {
	return Segment(0xe1, []byte("Exif\x00\x00"), EXIF(orientation))
}

func iccSegment(profile []byte) []byte {
	return Segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01"), profile)
}

// AdobeRGB returns the profile of that colour space.
func AdobeRGB() []byte {
	primaries := [3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}}
	var tags []tag
	for i, c := range []string{"r", "g", "b"} {
		x := []byte("XYZ \x00\x00\x00\x00")
		for _, v := range primaries[i] {
			x = binary.BigEndian.AppendUint32(x, uint32(int32(v*65536)))
		}
		curve := []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33\x00\x00")
		tags = append(tags, tag{c + "XYZ", x}, tag{c + "TRC", curve})
	}
	return Profile("RGB ", tags...)
}

type tag struct {
	name string
	data []byte
}

// Profile assembles a profile for a colour space.
func Profile(space string, tags ...tag) []byte {
	b := make([]byte, 128)
	copy(b[12:], "mntr")
	copy(b[16:], space)
	copy(b[20:], "XYZ ")
	copy(b[36:], "acsp")
	b = binary.BigEndian.AppendUint32(b, uint32(len(tags)))
	var body []byte
	for _, t := range tags {
		b = append(b, t.name...)
		b = binary.BigEndian.AppendUint32(b, uint32(132+12*len(tags)+len(body)))
		b = binary.BigEndian.AppendUint32(b, uint32(len(t.data)))
		body = append(body, t.data...)
	}
	b = append(b, body...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// PNG encodes as image/png does.
func PNG(img image.Image) []byte {
	var b bytes.Buffer
	must(png.Encode(&b, img))
	return b.Bytes()
}

// BMP and TIFF encode as golang.org/x/image does.
func BMP(img image.Image) []byte {
	var b bytes.Buffer
	must(bmp.Encode(&b, img))
	return b.Bytes()
}

// TIFF encodes without compression.
func TIFF(img image.Image) []byte {
	var b bytes.Buffer
	must(tiff.Encode(&b, img, nil))
	return b.Bytes()
}

// WebP encodes with loss.
func WebP(img *image.NRGBA) []byte {
	data, err := webp.Encode(img, webp.Options{Quality: 95, Effort: 4})
	must(err)
	return data
}

// GIF encodes frames that follow each other for ever, each of them 100 ms, and none of them covering the whole canvas.
func GIF(w, h int, frames ...*image.Paletted) []byte {
	g := &gif.GIF{Config: image.Config{Width: w, Height: h}, Image: frames}
	for range frames {
		g.Delay, g.Disposal = append(g.Delay, 10), append(g.Disposal, gif.DisposalNone)
	}
	var b bytes.Buffer
	must(gif.EncodeAll(&b, g))
	return b.Bytes()
}

// Flat returns a paletted rectangle of one colour.
func Flat(r image.Rectangle, c color.Color) *image.Paletted {
	return image.NewPaletted(r, color.Palette{c, color.Transparent})
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
