package header

import (
	"cmp"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/raw"
)

// readRAW chooses the largest preview that can be read. The raw file's own orientation, colours and metadata hold
// where it has any, because cameras often leave them out of the previews.
func (i *Info) readRAW(file *raw.File) error {
	data, page := i.Data, i.Page
	var found []preview
	for _, p := range file.Previews {
		info := Info{Coding: format.TIFF, Frames: 1, Orientation: 1, Width: p.Width, Height: p.Height}
		if p.JPEG != nil {
			info.Coding, info.Data = format.JPEG, p.JPEG
			if info.readJPEG(p.JPEG) != nil || info.Width < 1 || info.Height < 1 {
				continue // the sensor's data may be lossless JPEG
			}
		}
		found = append(found, preview{info, p})
	}
	slices.SortStableFunc(found, func(a, b preview) int { return cmp.Compare(b.area(), a.area()) })
	for _, p := range found {
		if !p.opens(data) {
			continue
		}
		*i = p.Info
		i.Format, i.Page, i.Pages = format.RAW, page, 1
		i.FullWidth, i.FullHeight = file.Width, file.Height
		if i.Coding == format.TIFF {
			i.EXIF = nil // it would be the whole file
		}
		i.Orientation = cmp.Or(file.Orientation, i.Orientation)
		for _, from := range []struct {
			to  *[]byte
			own []byte
		}{{&i.EXIF, file.EXIF}, {&i.XMP, file.XMP}, {&i.IPTC, file.IPTC}} {
			if from.own != nil {
				*from.to = from.own
			}
		}
		switch {
		case i.ICC != nil:
		case file.ICC != nil:
			i.ICC = file.ICC
		case file.AdobeRGB:
			i.ICC = icc.AdobeRGB()
		}
		return nil
	}
	if file.Cut {
		return outcome.Reject(outcome.Truncated, "the camera's raw file ends before its preview does")
	}
	return unsupported("a camera's raw file without a preview that can be read")
}

// preview is a preview with its header.
type preview struct {
	Info
	raw.Preview
}

func (p *preview) area() int64 { return int64(p.Info.Width) * int64(p.Info.Height) }

// opens reads the header of a preview that is a page of the TIFF in data. It reports whether it can be decoded.
func (p *preview) opens(data []byte) bool {
	if p.Preview.JPEG != nil {
		return true
	}
	p.Data = raw.Page(data, p.Preview)
	return p.readTIFF(p.Data, 0) == nil
}
