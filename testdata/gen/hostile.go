package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"strings"
	"time"

	"golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/testdata/gen/jpegenc"
)

// attack is one hostile file and what has to become of it.
type attack struct {
	name    string
	outcome string // done or rejected
	reason  string // of the rejection, a word of package outcome
	why     string // what it tries
	make    func() ([]byte, error)
}

func hostile() []file {
	list := attacks()
	var out []file
	var tsv, doc strings.Builder
	tsv.WriteString("# file\toutcome\treason\n")
	doc.WriteString(hostileIntro)
	for _, a := range list {
		out = append(out, file{"hostile/" + a.name, a.make})
		fmt.Fprintf(&tsv, "%s\t%s\t%s\n", a.name, a.outcome, a.reason)
		fmt.Fprintf(&doc, "| `%s` | %s | %s |\n", a.name, strings.TrimSpace(a.outcome+" "+a.reason), a.why)
	}
	text := func(s string) func() ([]byte, error) { return func() ([]byte, error) { return []byte(s), nil } }
	return append(out, file{"hostile/EXPECTED.tsv", text(tsv.String())}, file{"hostile/README.md", text(doc.String())})
}

const hostileIntro = `# Hostile images

Files that break image programs, made by ` + "`go run ./testdata/gen`" + `.
None of them may stop a worker, take it down or vanish: each is settled, with the outcome below under the default
limits. ` + "`EXPECTED.tsv`" + ` says the same for programs
(tab-separated: file, outcome, reason; the reason is empty when the outcome is done).

| file | outcome | what it tries |
|---|---|---|
`

// sample is a small picture with some of everything: gradients, edges, grain.
func sample(w, h int) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	seed := uint32(1)
	for y := range h {
		for x := range w {
			seed = seed*1664525 + 1013904223
			c := color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8(128 + (x*y/64)%64), 255}
			c.G = uint8(min(int(c.G)+int(seed>>28), 255))
			if (x-w/2)*(x-w/2)+(y-h/2)*(y-h/2) < w*h/16 {
				c.R, c.G = 240, 200
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}

func attacks() []attack {
	bytesOf := func(f func() []byte) func() ([]byte, error) { return func() ([]byte, error) { return f(), nil } }
	photo := func() []byte { return jpegenc.Encode(sample(320, 240), jpegenc.Options{}) }
	progressive := func() []byte { return jpegenc.Encode(sample(320, 240), jpegenc.Options{Progressive: true}) }
	return []attack{
		{"loop.nef", "rejected", "unsupported", "a camera's raw file whose directories lead back to themselves",
			bytesOf(func() []byte {
				return []byte("MM\x00*\x00\x00\x00\x08\x00\x02\x00\xfe\x00\x04\x00\x00\x00\x01\x00\x00\x00\x01" +
					"\x01\x4a\x00\x04\x00\x00\x00\x01\x00\x00\x00\x08\x00\x00\x00\x08")
			})},
		{"beyond.rw2", "rejected", "truncated", "a camera's raw file whose preview would be behind its end",
			bytesOf(func() []byte {
				return []byte("IIU\x00\x08\x00\x00\x00\x02\x00\x01\x02\x04\x00\x01\x00\x00\x00\xff\xff\xff\x7f" +
					"\x02\x02\x04\x00\x01\x00\x00\x00\xff\xff\xff\x7f\x00\x00\x00\x00")
			})},
		{"empty.jpg", "rejected", "not-an-image", "a file without a byte", bytesOf(func() []byte { return nil })},
		{"text.jpg", "rejected", "not-an-image", "text under the name of a photograph",
			bytesOf(func() []byte { return []byte("This is not a photograph, whatever its name says.\n") })},
		{"archive.png", "rejected", "not-an-image", "a ZIP archive under the name of a PNG", zipped},
		{"magic-only.jpg", "rejected", "truncated", "the first three bytes of a JPEG and no more",
			bytesOf(func() []byte { return []byte{0xff, 0xd8, 0xff} })},
		{"magic-only.png", "rejected", "truncated", "the signature of a PNG and no more",
			bytesOf(func() []byte { return []byte("\x89PNG\r\n\x1a\n") })},
		{"cut-in-half.jpg", "rejected", "truncated", "half of a baseline JPEG",
			bytesOf(func() []byte { b := photo(); return b[:len(b)/2] })},
		{"cut-in-half-progressive.jpg", "rejected", "truncated", "half of a progressive JPEG: some scans are whole",
			bytesOf(func() []byte { b := progressive(); return b[:len(b)/2] })},
		{"cut-in-header.jpg", "rejected", "truncated", "a JPEG that ends in its quantisation table",
			bytesOf(func() []byte { return photo()[:60] })},
		{"cut.png", "rejected", "truncated", "half of a PNG", bytesOf(func() []byte {
			b := pngOf(sample(160, 120))
			return b[:len(b)/2]
		})},
		{"cut.gif", "rejected", "truncated", "half of a GIF", func() ([]byte, error) {
			b, err := picture(func() image.Image { return sample(160, 120) }).gif(64)()
			return b[:len(b)/2], err
		}},
		{"cut.webp", "rejected", "truncated", "half of a WebP",
			bytesOf(func() []byte { b := webpLossless(sample(160, 120)); return b[:len(b)/2] })},
		{"garbage-inside.jpg", "rejected", "corrupt",
			"a JPEG with bits in the middle that no Huffman table knows", bytesOf(func() []byte {
				b := photo()
				for i := len(b) / 2; i < len(b)/2+64; i += 2 {
					b[i], b[i+1] = 0xff, 0
				}
				return b
			})},
		{"bad-crc.png", "rejected", "corrupt", "a PNG with a checksum that does not fit", bytesOf(func() []byte {
			b := pngOf(sample(160, 120))
			i := bytes.Index(b, []byte("IDAT"))
			n := int(binary.BigEndian.Uint32(b[i-4:]))
			b[i+4+n] ^= 0xff
			return b
		})},
		{"bomb.png", "rejected", "too-many-pixels", "a PNG of 60000×60000 in a few bytes",
			bytesOf(func() []byte { return pngHeader(60000, 60000) })},
		{"bomb.jpg", "rejected", "too-many-pixels", "a JPEG of 65000×65000 in its header", bytesOf(func() []byte {
			return frameHeader(0xc0, 8, 65000, 65000)
		})},
		{"bomb.gif", "rejected", "too-many-pixels", "a GIF of 65535×65535", bytesOf(func() []byte {
			b := []byte("GIF89a\xff\xff\xff\xff\x80\x00\x00\x00\x00\x00\xff\xff\xff")
			return append(b, ",\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02\x02\x44\x01\x00;"...)
		})},
		{"absurd.bmp", "rejected", "too-many-pixels", "a BMP 2147483647 pixels wide", bytesOf(absurdBMP)},
		{"palette-index.gif", "rejected", "corrupt", "a GIF with colours its palette does not have", paletteGIF},
		{"palette-index.tif", "rejected", "corrupt",
			"a TIFF with colours its palette does not have (CVE-2023-36308)", paletteTIFF},
		{"many-frames.gif", "rejected", "animated-too-long", "an animation of 5000 frames in a few kilobytes",
			bytesOf(manyFrames)},
		{"arithmetic.jpg", "rejected", "unsupported", "a lossless JPEG with arithmetic coding (header only)",
			bytesOf(func() []byte {
				return frameHeader(0xcb, 8, 64, 64)
			})},
		{"lossless.jpg", "rejected", "unsupported", "a lossless JPEG (header only)",
			bytesOf(func() []byte { return frameHeader(0xc3, 8, 64, 64) })},
		{"twelve-bit.jpg", "rejected", "corrupt", "a JPEG of 12 bits a sample (header only)",
			bytesOf(func() []byte {
				return frameHeader(0xc1, 12, 64, 64)
			})},
		{"cmyk.jpg", "done", "", "a JPEG in CMYK, inverted as Adobe does", bytesOf(func() []byte {
			return jpegenc.Encode(sample(160, 120), jpegenc.Options{Space: jpegenc.AdobeCMYK})
		})},
		{"one-pixel.jpg", "done", "", "a JPEG of one pixel",
			bytesOf(func() []byte { return jpegenc.Encode(sample(1, 1), jpegenc.Options{}) })},
		{"thin.jpg", "done", "", "a JPEG one pixel high: its thumbnails would be less than one pixel high",
			bytesOf(func() []byte { return jpegenc.Encode(sample(2000, 1), jpegenc.Options{}) })},
		{"orientation-9.jpg", "done", "", "an EXIF orientation that does not exist", bytesOf(func() []byte {
			return jpegenc.Encode(sample(160, 120), jpegenc.Options{Segments: [][]byte{exif(9)}})
		})},
		{"exif-loop.jpg", "done", "", "an EXIF directory that is its own successor", bytesOf(func() []byte {
			loop := append([]byte{0xe1}, "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x00"...)
			return jpegenc.Encode(sample(160, 120), jpegenc.Options{Segments: [][]byte{loop}})
		})},
		{"trailing.jpg", "done", "", "a JPEG with something behind its end, as phones append", bytesOf(func() []byte {
			return append(photo(), bytes.Repeat([]byte("appended "), 20)...)
		})},
	}
}

func zipped() ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "hello.txt", Modified: time.Date(2013, 5, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte("hello\n")); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err) // into memory: only a bug here makes it fail
	}
	return b.Bytes()
}

func pngHeader(w, h uint32) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		body := append([]byte(kind), data...)
		b = append(b, body...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = binary.BigEndian.AppendUint32(head, h)
	chunk("IHDR", append(head, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 0x03, 0, 0, 0, 0, 1})
	chunk("IEND", nil)
	return b
}

// frameHeader is a JPEG up to its first scan, of a kind that its SOF marker names.
func frameHeader(sof byte, bits byte, w, h int) []byte {
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	b = append(b, bytes.Repeat([]byte{16}, 64)...)
	b = append(b, 0xff, sof, 0, 17, bits, byte(h>>8), byte(h), byte(w>>8), byte(w), 3, 1, 0x22, 0, 2, 0x11, 0, 3,
		0x11, 0)
	b = append(b, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0)
	return append(b, 0x12, 0x34, 0x56, 0x78, 0xff, 0xd9)
}

func absurdBMP() []byte {
	b := []byte("BM")
	for _, v := range []uint32{58, 0, 54, 40, 0x7fffffff, 1} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	b = append(b, 1, 0, 24, 0)
	b = append(b, make([]byte, 24)...)
	return append(b, 1, 2, 3, 0)
}

func paletteGIF() ([]byte, error) {
	m := image.NewPaletted(image.Rect(0, 0, 16, 16), color.Palette{color.Black, color.White, color.Gray{90},
		color.Gray{180}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 4)
	}
	b, err := encodeGIF(&gif.GIF{Image: []*image.Paletted{m}, Delay: []int{0}})
	if err != nil {
		return nil, err
	}
	// The picture's own table shrinks from four colours to two; the pixels remain.
	i := bytes.IndexByte(b[13:], ',') + 13
	if flags := b[i+9]; flags&0x80 != 0 {
		b[i+9] = flags&^7 | 0
		return append(b[:i+10+6:i+10+6], b[i+10+12:]...), nil
	}
	b[10] = b[10]&^7 | 0
	return append(b[:13+6:13+6], b[13+12:]...), nil
}

func paletteTIFF() ([]byte, error) {
	pal := make(color.Palette, 256)
	for i := range pal {
		pal[i] = color.RGBA{uint8(i), uint8(255 - i), 90, 255}
	}
	m := image.NewPaletted(image.Rect(0, 0, 64, 48), pal)
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 256)
	}
	var b bytes.Buffer
	if err := tiff.Encode(&b, m, nil); err != nil {
		return nil, err
	}
	// The colour map (tag 320) gets the length of one with two colours.
	out := b.Bytes()
	dir := int(binary.LittleEndian.Uint32(out[4:]))
	for i := range int(binary.LittleEndian.Uint16(out[dir:])) {
		entry := out[dir+2+i*12:]
		if binary.LittleEndian.Uint16(entry) == 320 {
			binary.LittleEndian.PutUint32(entry[4:], 3*2)
			return out, nil
		}
	}
	return nil, fmt.Errorf("the TIFF has no colour map")
}

func manyFrames() []byte {
	b := []byte("GIF89a\x02\x00\x02\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff")
	for range 5000 {
		b = append(b, ",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"...)
	}
	return append(b, ';')
}
