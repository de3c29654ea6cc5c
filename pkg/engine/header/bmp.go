package header

import (
	"github.com/imagefarm/imagefarm/pkg/bmp"
	"github.com/imagefarm/imagefarm/pkg/engine/rows"
)

// readBMP reads the headers. What package bmp does not decode is rejected here.
func (i *Info) readBMP(data []byte) error {
	h, err := bmp.ReadHeader(data)
	if err != nil {
		return rows.Reject(err)
	}
	i.Width, i.Height, i.Alpha, i.ICC = h.Width, h.Height, h.Alpha, h.ICC
	return nil
}
