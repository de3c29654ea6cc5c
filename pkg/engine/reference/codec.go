package reference

import (
	"context"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/gif"
	"github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/png"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Frame is one decoded picture.
type Frame struct {
	Image image.Image // every sample that it should have is there; of an animation valid until the next frame
	Delay int         // milliseconds
	Loops int         // how often the whole animation is shown, 0 for ever
}

// Decode decodes an image, whose header is info, at full size: the first frame, or all of them with animate. It hands
// each to use, whose error ends the decoding and is returned as it is. The warnings say what is wrong with what was
// decoded all the same. Other errors are an *outcome.Rejection when the image is at fault, and the context's cause
// when it ended while a decoder that needs much memory waited for its turn.
func (e *Engine) Decode(ctx context.Context, data []byte, info header.Info, animate bool,
	use func(Frame) error) (outcome.Warnings, error) {
	t := &transform{engine: e, ctx: ctx, data: data, info: info}
	t.readProfile()
	t.warnings = nil // who decides on the colours has them
	err := t.decode(animate, func(f frame) error { return use(Frame{f.img, f.delay, f.loops}) })
	return t.warnings, err
}

// Encode encodes an output. An encoder that needs much memory waits for its turn, until the context ends.
func (e *Engine) Encode(ctx context.Context, o *Output) ([]byte, error) {
	if o.Format == format.AVIF {
		t := &transform{engine: e, ctx: ctx}
		release, err := t.acquire()
		if err != nil {
			return nil, err
		}
		defer release()
	}
	if o.Format == format.JPEG {
		encoder, _ := e.jpegs.Get().(*jpeg.Encoder)
		if encoder == nil {
			encoder = new(jpeg.Encoder)
		}
		o.jpeg = encoder
		defer func() {
			o.jpeg = nil
			e.jpegs.Put(encoder)
		}()
	}
	if o.Format == format.PNG {
		encoder, _ := e.pngs.Get().(*png.Encoder)
		if encoder == nil {
			encoder = new(png.Encoder)
		}
		o.png = encoder
		defer func() {
			o.png = nil
			e.pngs.Put(encoder)
		}()
	}
	return o.Encode()
}

// Rows opens an image whose decoder yields rows, and that package rows does not know: the first frame of a GIF, and a
// still WebP that is lossless or has alpha. It returns nil without an error for another image. What the decoder may
// leave out depends on need. The error is an *outcome.Rejection.
func (e *Engine) Rows(ctx context.Context, data []byte, info header.Info, need picture.Need) (*rows.Source, error) {
	if info.Coding == format.GIF && info.Page == 0 {
		r, err := gif.OpenStill(data, raster.Options{
			MaxPixels: e.limits.MaxPixels, AcceptTruncated: e.limits.OnTruncated == engine.AcceptTruncated,
		})
		if err != nil {
			return nil, rows.Reject(err)
		}
		return &rows.Source{Reader: r}, nil
	}
	if info.Coding != format.WebP || info.Animation {
		return nil, nil
	}
	r, err := webp.Rows(data, info.Width, info.Height, need)
	if err != nil {
		return nil, (&transform{engine: e, ctx: ctx, info: info}).reject(err)
	}
	if r == nil {
		return nil, nil
	}
	return &rows.Source{Reader: r}, nil
}

// Planes decodes an image whose decoder yields planes, no finer than needed. It returns nil without an error for an
// image of another format. A decoder that needs much memory waits for its turn, until the context ends.
func (e *Engine) Planes(ctx context.Context, data []byte, info header.Info, need picture.Need) (*picture.Picture,
	error) {
	switch {
	case info.Coding == format.WebP && !info.Animation:
		p, err := webp.Planes(ctx, data, info.Width, info.Height, need)
		if err != nil {
			err = (&transform{engine: e, ctx: ctx, info: info}).reject(err)
		}
		return p, err
	case info.Coding == format.JXL:
		p, err := e.planesJXL(ctx, data, info.Page)
		if err != nil && ctx.Err() == nil {
			err = (&transform{engine: e, ctx: ctx, info: info}).reject(err)
		}
		return p, err
	case info.Coding != format.HEIC && info.Coding != format.AVIF:
		return nil, nil
	}
	file, err := heif.Parse(data)
	if err != nil {
		return nil, err
	}
	file.Select(info.Page)
	t := &transform{engine: e, ctx: ctx}
	release, err := t.acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	p, err := file.Planes(ctx, need)
	if err != nil && ctx.Err() == nil {
		t.info = info
		err = t.reject(err)
	}
	return p, err
}
