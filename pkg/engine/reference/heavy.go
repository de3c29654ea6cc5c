package reference

import (
	"context"
	"image"

	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// acquire waits until one more may be in work, or the context ends.
func (t *transform) acquire() (release func(), err error) {
	select {
	case t.engine.heavy <- struct{}{}:
		return func() { <-t.engine.heavy }, nil
	case <-t.ctx.Done():
		return nil, context.Cause(t.ctx)
	}
}

// decodeHEIF decodes HEIC and AVIF.
func (t *transform) decodeHEIF() (image.Image, error) {
	file, err := heif.Parse(t.data)
	if err != nil {
		return nil, err
	}
	file.Select(t.info.Page)
	release, err := t.acquire()
	if err != nil {
		return nil, farmsFault{err}
	}
	defer release()
	p, err := file.Planes(t.ctx, picture.Need{Exact: true})
	if err != nil {
		return nil, err
	}
	return imageOf(p), nil
}

// imageOf returns a picture as the standard library holds it: as its planes where the library knows them, else as RGB.
func imageOf(p *picture.Picture) image.Image {
	if p.Alpha == nil && p.Model == picture.YCbCr && p.Matrix == picture.BT601 && !p.Limited {
		y, cb, cr := &p.Planes[0], &p.Planes[1], &p.Planes[2]
		whole := cb.Across.Begin == 0 && cb.Down.Begin == 0 && cb.Stride == cr.Stride
		ratio, known := map[[2]bool]image.YCbCrSubsampleRatio{
			{false, false}: image.YCbCrSubsampleRatio444, {true, false}: image.YCbCrSubsampleRatio422,
			{true, true}: image.YCbCrSubsampleRatio420,
		}[[2]bool{cb.Width < y.Width, cb.Height < y.Height}]
		if whole && known && y.Width > 1 && y.Height > 1 {
			return &image.YCbCr{
				Y: y.Pix, Cb: cb.Pix, Cr: cr.Pix, YStride: y.Stride, CStride: cb.Stride,
				SubsampleRatio: ratio, Rect: image.Rect(0, 0, y.Width, y.Height),
			}
		}
	}
	return p.NRGBA()
}
