package gif

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/draw"
	stdgif "image/gif"
	"io"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// A still is the first frame on the screen: what it does not cover is transparent, and so is the colour that says so.
func TestStill(t *testing.T) {
	screen := image.Rect(0, 0, 60, 40)
	for _, c := range []struct {
		name     string
		frame    image.Rectangle
		clear    bool
		channels int
	}{
		{"whole", screen, false, 3},
		{"with a transparent colour", screen, true, 4},
		{"in the middle", image.Rect(7, 5, 50, 33), false, 4},
		{"in a corner, with a transparent colour", image.Rect(59, 39, 60, 40), true, 4},
	} {
		p := picture(c.frame, 16, 3)
		if c.clear {
			p.Palette[5] = color.RGBA{}
		}
		want := image.NewNRGBA(screen)
		draw.Draw(want, c.frame, p, c.frame.Min, draw.Over)
		data := encode(t, &stdgif.GIF{
			Image: []*image.Paletted{p}, Delay: []int{0}, Config: image.Config{Width: 60, Height: 40},
		})
		s, err := OpenStill(data, raster.Options{})
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if s.Channels() != c.channels {
			t.Errorf("%s: %d channels, want %d", c.name, s.Channels(), c.channels)
		}
		row := bytes.Repeat([]byte{99}, raster.RowSize(s))
		for y := range 40 {
			if err := s.ReadRow(row); err != nil {
				t.Fatalf("%s: row %d: %v", c.name, y, err)
			}
			for x := range 60 {
				got := color.NRGBA{A: 255}
				n := c.channels
				if got.R, got.G, got.B = row[n*x], row[n*x+1], row[n*x+2]; n == 4 {
					got.A = row[4*x+3]
				}
				if got != want.NRGBAAt(x, y) {
					t.Fatalf("%s: %v at %d, %d, want %v", c.name, got, x, y, want.NRGBAAt(x, y))
				}
			}
		}
		if err := s.ReadRow(row); !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v behind the last row", c.name, err)
		}
	}
}

func TestAStillWithAColourBeyondThePalette(t *testing.T) {
	p := picture(image.Rect(0, 0, 8, 8), 16, 1)
	p.Pix[8*3+2] = 12
	data := encode(t, &stdgif.GIF{
		Image: []*image.Paletted{p}, Delay: []int{0}, Config: image.Config{ColorModel: p.Palette, Width: 8, Height: 8},
	})
	at := bytes.IndexByte(data[13:], 0x2c) // the palette of the file becomes one of eight colours
	if at < 0 {
		t.Fatal("no frame")
	}
	short := append(bytes.Clone(data[:10]), data[10]&^7|2, data[11], data[12])
	short = append(short, data[13:13+24]...)
	short = append(short, data[13+48:]...)
	s, err := OpenStill(short, raster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	row := make([]byte, raster.RowSize(s))
	for err == nil {
		err = s.ReadRow(row)
	}
	var corrupt *raster.CorruptError
	if !errors.As(err, &corrupt) {
		t.Errorf("%v, want it corrupt", err)
	}
}
