package header

import (
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// readTIFF reads the first directory. What package tiff does not decode is rejected here.
func (i *Info) readTIFF(data []byte) error {
	h, err := tiff.ReadHeader(data, 0)
	if err != nil {
		return rows.Reject(err)
	}
	i.Width, i.Height, i.Orientation = h.Width, h.Height, h.Orientation
	i.Gray, i.Alpha = h.Gray, h.Alpha
	i.XMP, i.IPTC, i.ICC = h.XMP, h.IPTC, h.ICC
	if h.EXIF {
		i.EXIF = data // the directories refer to the whole file
	}
	return nil
}
