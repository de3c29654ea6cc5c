package tiff

import (
	"bytes"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"testing"

	xtiff "golang.org/x/image/tiff"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// split returns rows with the first bytes of every pixel, which has size bytes.
func split(pix []byte, stride, size, first int) [][]byte {
	var rows [][]byte
	for line := range slices.Chunk(pix, stride) {
		var row []byte
		for p := range slices.Chunk(line, size) {
			row = append(row, p[:first]...)
		}
		rows = append(rows, row)
	}
	return rows
}

func TestEncodedIsReadBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, channels := range []int{1, 2, 3, 4} {
		for _, depth := range []int{8, 16} {
			for _, size := range []image.Point{{X: 1, Y: 1}, {X: 7, Y: stripRows}, {X: 5, Y: 2*stripRows + 3}} {
				t.Run(fmt.Sprintf("%d channels, %d bits, %v", channels, depth, size), func(t *testing.T) {
					pixel := channels * depth / 8
					img := raster.Image{Stride: size.X*pixel + 6, Width: size.X, Height: size.Y, Channels: channels, Depth: depth}
					img.Pix = make([]byte, size.Y*img.Stride)
					for i := range img.Pix {
						img.Pix[i] = byte(rng.Uint32())
					}
					file, err := Encode(img)
					if err != nil {
						t.Fatal(err)
					}
					r, rows, err := readAll(file, raster.Options{})
					if err != nil {
						t.Fatal(err)
					}
					if r.Channels() != channels || r.Depth() != depth || len(rows) != size.Y {
						t.Fatalf("%d channels of %d bits, %d rows", r.Channels(), r.Depth(), len(rows))
					}
					for y, row := range rows {
						if want := img.Pix[y*img.Stride:][:size.X*pixel]; !bytes.Equal(row, want) {
							t.Fatalf("row %d is %v, want %v", y, row, want)
						}
					}
					if channels == 2 { // x/image/tiff does not read gray with alpha
						return
					}
					decoded, err := xtiff.Decode(bytes.NewReader(file))
					if err != nil {
						t.Fatal(err)
					}
					var other [][]byte
					switch d := decoded.(type) {
					case *image.Gray:
						other = split(d.Pix, d.Stride, 1, pixel)
					case *image.Gray16:
						other = split(d.Pix, d.Stride, 2, pixel)
					case *image.RGBA:
						other = split(d.Pix, d.Stride, 4, pixel)
					case *image.NRGBA:
						other = split(d.Pix, d.Stride, 4, pixel)
					case *image.RGBA64:
						other = split(d.Pix, d.Stride, 8, pixel)
					case *image.NRGBA64:
						other = split(d.Pix, d.Stride, 8, pixel)
					default:
						t.Fatalf("decoded to a %T", d)
					}
					if !slices.EqualFunc(rows, other, bytes.Equal) {
						t.Fatal("x/image/tiff reads it otherwise")
					}
				})
			}
		}
	}
}

func TestEncodeRefusesWhatIsNoPicture(t *testing.T) {
	good := raster.Image{Pix: make([]byte, 12), Stride: 6, Width: 2, Height: 2, Channels: 3, Depth: 8}
	if _, err := Encode(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*raster.Image){
		"channels": func(i *raster.Image) { i.Channels = 5 }, "depth": func(i *raster.Image) { i.Depth = 4 },
		"width": func(i *raster.Image) { i.Width = 0 }, "stride": func(i *raster.Image) { i.Stride = 5 },
		"few samples": func(i *raster.Image) { i.Pix = i.Pix[:11] },
		"too large":   func(i *raster.Image) { i.Width, i.Height, i.Stride = 1<<16, 1<<15, 3<<16 },
	} {
		bad := good
		change(&bad)
		if _, err := Encode(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
