package pipeline

import (
	"image"
	"image/draw"
	"io"

	"github.com/imagefarm/imagefarm/pkg/engine"
)

// imageRows returns the rows of a decoded image, as red, green, blue and alpha.
func imageRows(img image.Image) engine.RowSource {
	size := img.Bounds().Size()
	r := &rowsOf{img: img, width: size.X, height: size.Y}
	if _, ok := img.(*image.NRGBA); !ok {
		r.row = image.NewNRGBA(image.Rect(0, 0, size.X, 1))
	}
	return r
}

type rowsOf struct {
	img           image.Image
	width, height int
	y             int
	row           *image.NRGBA // one row, where img is of another type
}

func (r *rowsOf) Size() (width, height int) { return r.width, r.height }
func (r *rowsOf) Channels() int             { return 4 }
func (r *rowsOf) Depth() int                { return 8 }

func (r *rowsOf) ReadRow(dst []byte) error {
	if r.y == r.height {
		return io.EOF
	}
	at := r.img.Bounds().Min
	if img, ok := r.img.(*image.NRGBA); ok {
		copy(dst, img.Pix[img.PixOffset(at.X, at.Y+r.y):][:4*r.width])
	} else {
		draw.Draw(r.row, r.row.Rect, r.img, image.Pt(at.X, at.Y+r.y), draw.Src)
		copy(dst, r.row.Pix)
	}
	r.y++
	return nil
}
