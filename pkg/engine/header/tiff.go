package header

import (
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// readTIFF reads the directory of a page. What package tiff does not decode is rejected here.
func (i *Info) readTIFF(data []byte, page int) error {
	if page > 0 {
		pages, err := tiff.Pages(data)
		if err != nil {
			return rows.Reject(err)
		}
		if page >= pages {
			return noSuchPage(page, pages)
		}
	}
	h, err := tiff.ReadHeader(data, page)
	if err != nil {
		return rows.Reject(err)
	}
	i.Width, i.Height, i.Orientation = h.Width, h.Height, h.Orientation
	i.Gray, i.CMYK, i.Alpha, i.Pages = h.Gray, h.CMYK, h.Alpha, h.Pages
	i.XMP, i.IPTC, i.ICC = h.XMP, h.IPTC, h.ICC
	if h.EXIF {
		i.EXIF = data // the directories refer to the whole file
	}
	return nil
}
