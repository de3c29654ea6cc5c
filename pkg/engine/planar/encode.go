package planar

import (
	"bytes"
	"fmt"
	"image"
	"time"

	"github.com/gen2brain/jpegn"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/metadata"
	"github.com/imagefarm/imagefarm/pkg/engine/webp"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// encode writes a variant's planes, with the metadata that the variant keeps, as output number i.
func (t *transform) encode(i int, v recipe.Variant, p *picture) error {
	begun := time.Now()
	defer func() { t.stages.Encode += time.Since(begun) }()
	to := v.OutputFormat("", t.info.Format)
	quality := v.Quality
	if quality == 0 {
		quality = format.Of(to).Quality
	}
	var data []byte
	var err error
	if to == format.WebP {
		data, err = t.encodeWebP(p, quality)
	} else {
		data, err = t.encodeJPEG(p, quality)
	}
	if err != nil {
		return fmt.Errorf("variant %s: encoding %s: %w", v.Name, to, err)
	}
	set := metadata.Select(t.info, v.Strip, v.Orient, p.width(), p.height())
	if t.info.ICC != nil {
		if v.ICC == recipe.ICCKeep {
			set.ICC = t.info.ICC
		} else {
			t.carried = append(t.carried, "icc") // sRGB's: what it says is said by its absence
		}
	}
	data, carried, err := metadata.Embed(data, to, set)
	if err != nil {
		return fmt.Errorf("variant %s: metadata: %w", v.Name, err)
	}
	t.carried = append(t.carried, carried...)
	t.outputs[i] = engine.Output{Variant: v.Name, Format: to, Width: p.width(), Height: p.height(), Data: data}
	return nil
}

func (t *transform) encodeJPEG(p *picture, quality int) ([]byte, error) {
	options := jpegn.EncodeOptions{Quality: quality, Subsampling: jpegn.Subsample420}
	var img image.Image
	if p.gray() {
		options.Subsampling = jpegn.SubsampleGray
		img = &image.Gray{Pix: p.planes[0].pix, Stride: p.planes[0].stride, Rect: image.Rect(0, 0, p.width(), p.height())}
	} else {
		img = p.image()
	}
	t.space.written.Reset()
	if err := jpegn.Encode(&t.space.written, img, &options); err != nil {
		return nil, err
	}
	return bytes.Clone(t.space.written.Bytes()), nil
}

// encodeWebP encodes a copy in the range in which lossy WebP stores samples: 16–235 for luma, 16–240 for colour.
func (t *transform) encodeWebP(p *picture, quality int) ([]byte, error) {
	t.space.studio = grow(t.space.studio, pictureSize(p.width(), p.height(), false))
	narrow := newPicture(t.space.studio, p.width(), p.height(), false)
	for i := range narrow.planes {
		to := &narrow.planes[i]
		if i > 0 && p.gray() {
			for j := range to.pix {
				to.pix[j] = 128 // neither red nor blue
			}
			continue
		}
		table := &studioLuma
		if i > 0 {
			table = &studioColor
		}
		for j, v := range p.planes[i].pix {
			to.pix[j] = table[v]
		}
	}
	return webp.EncodePlanes(narrow.image(), quality)
}

var studioLuma, studioColor = studioTable(16, 219), studioTable(16, 224)

// studioTable takes 0–255 to low–low+span.
func studioTable(low, span int) (table [256]byte) {
	for v := range table {
		table[v] = byte(low + (2*v*span+255)/510)
	}
	return table
}
