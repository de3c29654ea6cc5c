package pipeline

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"time"

	"github.com/gen2brain/jpegn"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
)

// encodePlanes encodes a variant that stayed planes.
func (t *transform) encodePlanes(m *variant, p *picture.Picture) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	var data []byte
	var err error
	if m.format == format.WebP {
		data, err = t.encodeWebP(p, m.quality())
	} else {
		data, err = t.encodeJPEG(p, m.quality())
	}
	if err != nil {
		return fmt.Errorf("variant %s: encoding %s: %w", m.Name, m.format, err)
	}
	return t.output(m, data, p.Width(), p.Height(), m.profile)
}

// encodePixels encodes a variant whose frames became red, green, blue and alpha.
func (t *transform) encodePixels(m *variant) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	out := &reference.Output{
		Format: m.format, Frames: m.frames, Delays: m.delays, Loops: m.loops, Quality: m.quality(), Background: m.Background,
		Colored: m.profile != nil && !m.forGray,
	}
	data, err := t.engine.general.Encode(t.ctx, out)
	if err != nil {
		return fmt.Errorf("variant %s: encoding %s: %w", m.Name, m.format, err)
	}
	profile := m.profile
	if m.forGray && !out.EncodedGray() {
		profile = nil // it would be beside colours or transparency after all
	}
	size := m.frames[0].Rect.Size()
	m.frames = nil
	return t.output(m, data, size.X, size.Y, profile)
}

func (m *variant) quality() int {
	if m.Quality == 0 {
		return format.Of(m.format).Quality
	}
	return m.Quality
}

// output puts the metadata that a variant keeps into what was encoded.
func (t *transform) output(m *variant, data []byte, w, h int, profile []byte) error {
	set := metadata.Select(t.info, m.Strip, m.Orient, w, h)
	set.ICC = profile
	data, carried, err := metadata.Embed(data, m.format, set)
	if err != nil {
		return fmt.Errorf("variant %s: metadata: %w", m.Name, err)
	}
	m.carried = append(m.carried, carried...)
	m.output = engine.Output{Variant: m.Name, Format: m.format, Width: w, Height: h, Data: data}
	return nil
}

func (t *transform) encodeJPEG(p *picture.Picture, quality int) ([]byte, error) {
	if p.Limited {
		p = t.mapped(p, &fullLuma, &fullChroma)
	}
	options := jpegn.EncodeOptions{Quality: quality, Subsampling: jpegn.Subsample420}
	var img image.Image
	if p.Model == picture.Gray {
		options.Subsampling = jpegn.SubsampleGray
		img = &image.Gray{Pix: p.Planes[0].Pix, Stride: p.Planes[0].Stride, Rect: image.Rect(0, 0, p.Width(), p.Height())}
	} else {
		img = ycbcr(p)
	}
	t.space.written.Reset()
	if err := jpegn.Encode(&t.space.written, img, &options); err != nil {
		return nil, err
	}
	return bytes.Clone(t.space.written.Bytes()), nil
}

// ycbcr returns a picture of half the colour resolution as encoders want it.
func ycbcr(p *picture.Picture) *image.YCbCr {
	y, cb, cr := &p.Planes[0], &p.Planes[1], &p.Planes[2]
	return &image.YCbCr{
		Y: y.Pix, Cb: cb.Pix, Cr: cr.Pix, YStride: y.Stride, CStride: cb.Stride,
		SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: image.Rect(0, 0, y.Width, y.Height),
	}
}

// encodeWebP encodes in the limited range, in which lossy WebP stores samples, and with colour.
func (t *transform) encodeWebP(p *picture.Picture, quality int) ([]byte, error) {
	if p.Model == picture.Gray {
		p = t.withNeutralColor(p)
	}
	if !p.Limited {
		p = t.mapped(p, &limitedLuma, &limitedChroma)
	}
	return webp.EncodePlanes(ycbcr(p), quality)
}

// withNeutralColor returns a gray picture with planes of colour that are neither red nor blue.
func (t *transform) withNeutralColor(p *picture.Picture) *picture.Picture {
	w, h := p.Width(), p.Height()
	out := picture.Lay(t.space.memory(picture.Bytes(picture.YCbCr, w, h, true)), picture.YCbCr, w, h, true)
	out.Limited, out.Planes[0] = p.Limited, p.Planes[0]
	for _, c := range out.Planes[1:] {
		for i := range c.Pix {
			c.Pix[i] = 128
		}
	}
	return out
}

// mapped returns a picture whose samples went through tables, one for luma and one for colour differences.
func (t *transform) mapped(p *picture.Picture, luma, chroma *[256]byte) *picture.Picture {
	out := *p
	out.Planes = make([]picture.Plane, len(p.Planes))
	for i := range p.Planes {
		from, table := &p.Planes[i], luma
		if i > 0 {
			table = chroma
		}
		to := picture.Whole(t.space.memory(from.Width*from.Height), from.Width, from.Height)
		for y := range to.Height {
			row := to.Pix[y*to.Stride:][:to.Width]
			for x, v := range from.Pix[y*from.Stride:][:to.Width] {
				row[x] = table[v]
			}
		}
		out.Planes[i] = to
	}
	return &out
}

// The limited range has luma from 16 to 235 and colour differences from 16 to 240; the full range has 0 to 255.
var (
	limitedLuma, limitedChroma = limitedTable(16, 219), limitedTable(16, 224)
	fullLuma, fullChroma       = fullTable(16, 0, 219), fullTable(128, 128, 224)
)

// limitedTable takes 0–255 to low–low+span.
func limitedTable(low, span int) (table [256]byte) {
	for v := range table {
		table[v] = byte(low + (2*v*span+255)/510)
	}
	return table
}

// fullTable takes from to to, and span steps to 255.
func fullTable(from, to, span int) (table [256]byte) {
	for v := range table {
		table[v] = byte(min(max(math.Round(float64(v-from)*255/float64(span))+float64(to), 0), 255))
	}
	return table
}
