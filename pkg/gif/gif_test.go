package gif

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdgif "image/gif"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// picture returns a frame of noise and runs with so many colours.
func picture(r image.Rectangle, colors int, seed uint64) *image.Paletted {
	rng := rand.New(rand.NewPCG(seed, 1))
	palette := make(color.Palette, colors)
	for i := range palette {
		palette[i] = color.RGBA{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32()), 255}
	}
	img := image.NewPaletted(r, palette)
	v := byte(0)
	for i := range img.Pix {
		if rng.IntN(4) == 0 {
			v = byte(rng.IntN(colors))
		}
		img.Pix[i] = v
	}
	return img
}

func encode(t testing.TB, g *stdgif.GIF) []byte {
	var b bytes.Buffer
	if err := stdgif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(data []byte, opt raster.Options) (*Reader, []Frame, error) {
	r, err := Open(data, opt)
	if err != nil {
		return nil, nil, err
	}
	var frames []Frame
	for {
		f, err := r.Next()
		if err == io.EOF {
			return r, frames, nil
		}
		if err != nil {
			return r, frames, err
		}
		c := *f
		c.Pix = bytes.Clone(f.Pix)
		frames = append(frames, c)
	}
}

func TestFramesAreThoseOfImageGIF(t *testing.T) {
	for _, colors := range []int{2, 3, 16, 100, 256} {
		g := &stdgif.GIF{LoopCount: 4, Config: image.Config{Width: 300, Height: 200}}
		for i, rect := range []image.Rectangle{image.Rect(0, 0, 300, 200), image.Rect(3, 7, 250, 190),
			image.Rect(299, 199, 300, 200)} {
			g.Image = append(g.Image, picture(rect, colors, uint64(i)))
			g.Delay, g.Disposal = append(g.Delay, 7*i), append(g.Disposal, byte(1+i))
		}
		r, frames, err := readAll(encode(t, g), raster.Options{})
		if err != nil || len(frames) != 3 || r.Width != 300 || r.Height != 200 || r.Loops != 5 {
			t.Fatalf("%d colours: %d frames, %+v, %v", colors, len(frames), r, err)
		}
		for i, f := range frames {
			want := g.Image[i]
			if !bytes.Equal(f.Pix, want.Pix) || f.X != want.Rect.Min.X || f.Y != want.Rect.Min.Y || f.Width != want.Rect.Dx() {
				t.Errorf("%d colours: frame %d differs", colors, i)
			}
			if f.Delay != 7*i || f.Disposal != 1+i || f.Transparent != -1 {
				t.Errorf("frame %d: %d, %d, %d", i, f.Delay, f.Disposal, f.Transparent)
			}
		}
	}
}

// file writes a GIF with one frame of 2×2 pixels of colours 0, 1, 2, 3 whose data are given as blocks.
func file(width, height int, x, y byte, blocks ...byte) []byte {
	head := []byte{'G', 'I', 'F', '8', '9', 'a', byte(width), 0, byte(height), 0, 0x81, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
		10, 11, 12}
	return append(append(head, 0x2c, x, 0, y, 0, 2, 0, 2, 0, 0, 2), blocks...)
}

// data holds the codes clear, 0, 1, 2, 3 and end: 4 0 1 2 of three bits, then 3 5 of four, since codes 6 and 7 are
// defined.
var data = []byte{0x44, 0x34, 0x05}

func TestWhatBrowsersRead(t *testing.T) {
	blocks := append([]byte{3}, data...)
	for name, p := range map[string][]byte{
		"a frame larger than the screen": file(1, 1, 0, 0, append(blocks, 0, 0x3b)...),
		"a screen of no size":            file(0, 0, 0, 0, append(blocks, 0, 0x3b)...),
		"an extra block of data":         file(2, 2, 0, 0, append(blocks, 2, 9, 9, 0, 0x3b)...),
		"spare terminators":              file(2, 2, 0, 0, append(blocks, 0, 0, 0, 0x3b)...),
		"junk behind the frame":          file(2, 2, 0, 0, append(blocks, 0, 0x77)...),
		"blocks of a byte":               file(2, 2, 0, 0, 1, data[0], 1, data[1], 1, data[2], 0, 0x3b),
	} {
		r, frames, err := readAll(p, raster.Options{})
		if err != nil || len(frames) != 1 || r.Width != 2 || r.Height != 2 ||
			!bytes.Equal(frames[0].Pix, []byte{0, 1, 2, 3}) {
			t.Errorf("%s: %+v, %v", name, frames, err)
		}
	}
	r, frames, err := readAll(file(3, 3, 2, 2, append(blocks, 0, 0x3b)...), raster.Options{})
	if err != nil || r.Width != 4 || r.Height != 4 || frames[0].X != 2 {
		t.Errorf("a frame that sticks out: %+v, %v", frames, err)
	}
}

func TestInterlacedRowsAreSorted(t *testing.T) {
	f := Frame{Width: 1, Height: 11, Pix: []byte{0, 8, 4, 2, 6, 10, 1, 3, 5, 7, 9}}
	for i, v := range new(Reader).deinterlace(&f) {
		if int(v) != i {
			t.Fatalf("row %d is the %dth", i, v)
		}
	}
}

func TestDamage(t *testing.T) {
	whole := file(2, 2, 0, 0, append(append([]byte{3}, data...), 0, 0x3b)...)
	for cut := range len(whole) - 3 {
		if _, _, err := readAll(whole[:cut], raster.Options{}); !errors.As(err, new(*raster.TruncatedError)) {
			t.Errorf("cut at %d: %v", cut, err)
		}
	}
	noPalette := bytes.Clone(whole)
	noPalette = append(append(noPalette[:10:10], 0, 0, 0), noPalette[25:]...)
	for name, p := range map[string][]byte{
		"no GIF": []byte("PNG and something else"), "no frame": append(bytes.Clone(whole[:25]), 0x3b),
		"no palette": noPalette, "an unknown block": append(bytes.Clone(whole[:25]), 0x99),
		"an undefined code": file(2, 2, 0, 0, 1, 0xfc, 0, 0x3b), "codes of 9 bits": func() []byte {
			p := bytes.Clone(whole)
			p[35] = 9
			return p
		}(),
	} {
		if _, _, err := readAll(p, raster.Options{}); !errors.As(err, new(*raster.CorruptError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := readAll(whole, raster.Options{MaxPixels: 3}); !errors.As(err, new(*raster.TooLargeError)) {
		t.Errorf("four pixels of three: %v", err)
	}
	short := file(2, 2, 0, 0, 1, 0x44, 0, 0x3b) // clear, 0, and then nothing
	if _, frames, err := readAll(short, raster.Options{AcceptTruncated: true}); err != nil || len(frames) != 1 {
		t.Errorf("a short frame, accepted: %v", err)
	}
	g := &stdgif.GIF{Image: []*image.Paletted{picture(image.Rect(0, 0, 50, 50), 9, 1),
		picture(image.Rect(0, 0, 50, 50), 9, 2)}, Delay: []int{1, 1}}
	p := encode(t, g)
	if _, frames, err := readAll(p[:len(p)-30], raster.Options{AcceptTruncated: true}); err != nil || len(frames) != 1 {
		t.Errorf("an animation cut in its second frame, accepted: %d frames, %v", len(frames), err)
	}
}

// FuzzRead compares with image/gif, which accepts less: where both read a file, the frames are the same.
func FuzzRead(f *testing.F) {
	f.Add(file(2, 2, 0, 0, append(append([]byte{3}, data...), 0, 0x3b)...))
	for _, colors := range []int{2, 5, 200} {
		g := &stdgif.GIF{LoopCount: 1, Config: image.Config{Width: 20, Height: 20}}
		for i := range 3 {
			g.Image = append(g.Image, picture(image.Rect(i, 2*i, 20-i, 20), colors, uint64(i)))
			g.Delay = append(g.Delay, 3)
		}
		f.Add(encode(f, g))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _, err := readAll(data, raster.Options{MaxPixels: 1 << 16, AcceptTruncated: true})
		if err != nil && !errors.As(err, new(*raster.TruncatedError)) && !errors.As(err, new(*raster.CorruptError)) &&
			!errors.As(err, new(*raster.TooLargeError)) {
			t.Fatalf("%v is of no known kind", err)
		}
		_, frames, err := readAll(data, raster.Options{MaxPixels: 1 << 16})
		if err != nil {
			return
		}
		if want, err := stdgif.DecodeAll(bytes.NewReader(data)); err == nil {
			if len(want.Image) != len(frames) {
				t.Fatalf("%d frames, image/gif has %d", len(frames), len(want.Image))
			}
			for i, img := range want.Image {
				if !bytes.Equal(img.Pix, frames[i].Pix) {
					t.Fatalf("frame %d differs from image/gif's", i)
				}
			}
		}
	})
}
