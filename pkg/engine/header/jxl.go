package header

import (
	"encoding/binary"
	"errors"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/isobmff"
)

// readJXL asks libjxl for what a JPEG XL file says, and looks for metadata among its boxes. Without the library such
// files are not read.
func (i *Info) readJXL(data []byte) error {
	lib, err := native.LibJXL()
	if err != nil {
		return unsupported("JPEG XL needs libjxl: %v", err)
	}
	h, err := lib.Header(data)
	switch {
	case errors.Is(err, native.ErrJXLCut):
		return truncated("the JPEG XL's header")
	case errors.Is(err, native.ErrJXLCurve):
		return unsupported("JPEG XL with %v", err)
	case err != nil:
		return corrupt("%v", err)
	}
	i.Width, i.Height, i.Orientation, i.Gray, i.Alpha = h.Width, h.Height, h.Orientation, h.Gray, h.Alpha
	i.Pages = h.Frames
	if i.ICC = h.ICC; len(i.ICC) > 20 && string(i.ICC[16:20]) == "CMYK" {
		return unsupported("JPEG XL with inks")
	}
	if data[0] == 0xff {
		return nil
	}
	boxes, _ := isobmff.Children(data)
	for _, b := range boxes {
		switch b.Kind {
		case "Exif": // behind the offset of its beginning
			if len(b.Data) > 4 && uint64(binary.BigEndian.Uint32(b.Data)) < uint64(len(b.Data)-4) {
				i.EXIF = b.Data[4+be32(b.Data):]
			}
		case "xml ":
			i.XMP = b.Data
		case "brob": // one of these, compressed in a way that is not read
			i.Text = true
		}
	}
	return nil
}
