package webp

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/draw"
	"io"
)

// Frame is one picture of an animation on its whole canvas.
type Frame struct {
	Image *image.NRGBA // the caller's, until it returns
	Delay int          // milliseconds
	Loops int          // of the whole animation; 0 for ever
}

// DecodeAll decodes an animation frame by frame and gives each, composed on the canvas of width×height pixels that the
// header announces, to yield, in order. It ends with the first error, be it yield's. A still has one frame.
//
//	ANIM  background:32 loops:16
//	ANMF  x/2:24 y/2:24 width-1:24 height-1:24 delay:24 flags:8  { chunks of the frame }
func DecodeAll(ctx context.Context, data []byte, width, height int, yield func(Frame) error) error {
	list, broken := chunks(data)
	loops := 0
	if p := find(list, "ANIM"); len(p) >= 6 {
		loops = int(binary.LittleEndian.Uint16(p[4:]))
	}
	canvas := image.NewNRGBA(image.Rect(0, 0, width, height))
	none := true
	for _, c := range list {
		if c.kind != "ANMF" {
			continue
		}
		if len(c.data) < 16 {
			return io.ErrUnexpectedEOF
		}
		none = false
		at := image.Pt(2*uint24(c.data), 2*uint24(c.data[3:]))
		area := image.Rectangle{at, at.Add(image.Pt(uint24(c.data[6:])+1, uint24(c.data[9:])+1))}
		if !area.In(canvas.Rect) {
			return errNotWebP
		}
		parts, err := split(c.data[16:])
		if err != nil {
			return err
		}
		flags := c.data[15]
		if err := show(ctx, canvas, area, parts, flags&2 == 0); err != nil {
			return err
		}
		if err := yield(Frame{canvas, uint24(c.data[12:]), loops}); err != nil {
			return err
		}
		if flags&1 != 0 {
			for y := area.Min.Y; y < area.Max.Y; y++ {
				clear(canvas.Pix[canvas.PixOffset(area.Min.X, y):][:4*area.Dx()])
			}
		}
	}
	if broken != nil {
		return broken
	}
	if none {
		if err := show(ctx, canvas, canvas.Rect, list, false); err != nil {
			return err
		}
		return yield(Frame{canvas, 0, 0})
	}
	return nil
}

// show decodes the picture among the chunks of a frame into an area of the canvas. It replaces what is there, or covers
// it as far as it is opaque.
func show(ctx context.Context, canvas *image.NRGBA, area image.Rectangle, list []chunk, over bool) error {
	s, err := stillOf(list)
	if err != nil {
		return err
	}
	img, err := s.decode(ctx, area.Dx(), area.Dy())
	if err != nil {
		return err
	}
	for y := range area.Dy() {
		row := img.Pix[y*img.Stride:][:img.Stride]
		below := canvas.Pix[canvas.PixOffset(area.Min.X, area.Min.Y+y):][:len(row)]
		if over {
			cover(below, row)
		} else {
			copy(below, row)
		}
	}
	return nil
}

// cover lays pixels over others.
func cover(below, row []byte) {
	for i := 0; i < len(row); i += 4 {
		p, d := row[i:i+4:i+4], below[i:i+4:i+4]
		a := uint32(p[3])
		switch {
		case a == 0:
		case a == 255 || d[3] == 0:
			copy(d, p)
		default:
			left := uint32(d[3]) * (255 - a) // what is seen of what is below, in 255ths of 255ths
			all := 255*a + left
			for c := range 3 {
				d[c] = byte((255*a*uint32(p[c]) + left*uint32(d[c]) + all/2) / all)
			}
			d[3] = byte((all + 127) / 255)
		}
	}
}

// EncodeAll encodes an animation whose frames have one size. delays are milliseconds; loops 0 is for ever.
func EncodeAll(frames []*image.NRGBA, delays []int, loops int, opt Options) ([]byte, error) {
	canvas := frames[0].Rect
	list := []chunk{
		vp8x(flagAnimation|flagAlpha, canvas.Dx(), canvas.Dy()),
		{"ANIM", binary.LittleEndian.AppendUint16([]byte{0, 0, 0, 0}, uint16(loops))},
	}
	for i, img := range frames {
		area := canvas
		if i > 0 {
			area = changed(frames[i-1], img)
		}
		part := image.NewNRGBA(image.Rect(0, 0, area.Dx(), area.Dy()))
		draw.Draw(part, part.Rect, img, area.Min, draw.Src)
		still, err := Encode(part, opt)
		if err != nil {
			return nil, err
		}
		pieces, err := chunks(still)
		if err != nil {
			return nil, err
		}
		head := appendUint24(appendUint24(nil, area.Min.X/2), area.Min.Y/2)
		head = appendUint24(appendUint24(head, area.Dx()-1), area.Dy()-1)
		head = append(appendUint24(head, min(delays[i], 1<<24-1)), 2) // replaces what it covers, and stays
		var picture []chunk
		for _, p := range pieces {
			if p.kind == "ALPH" || p.kind == "VP8 " || p.kind == "VP8L" {
				picture = append(picture, p)
			}
		}
		list = append(list, chunk{"ANMF", append(head, build(picture)[12:]...)})
	}
	return build(list), nil
}

// changed returns the smallest rectangle, with an even origin, outside of which a and b are equal.
func changed(a, b *image.NRGBA) image.Rectangle {
	w, h := b.Rect.Dx(), b.Rect.Dy()
	area := image.Rectangle{Min: image.Pt(w, h)}
	for y := range h {
		ra, rb := a.Pix[y*a.Stride:][:4*w], b.Pix[y*b.Stride:][:4*w]
		if bytes.Equal(ra, rb) {
			continue
		}
		area.Min.Y, area.Max.Y = min(area.Min.Y, y), y+1
		left, right := 0, w
		for bytes.Equal(ra[4*left:4*left+4], rb[4*left:4*left+4]) {
			left++
		}
		for bytes.Equal(ra[4*right-4:4*right], rb[4*right-4:4*right]) {
			right--
		}
		area.Min.X, area.Max.X = min(area.Min.X, left), max(area.Max.X, right)
	}
	if area.Max.X == 0 {
		return image.Rect(0, 0, 1, 1)
	}
	area.Min.X &^= 1
	area.Min.Y &^= 1
	return area
}
