package header

// readBMP reads the bitmap header.
//
//	"BM" size:32 0:32 offset:32  length:32 width:32 height:32 planes:16 bits:16 compression:32 …
func (i *Info) readBMP(data []byte) error {
	if len(data) < 34 {
		return truncated("the BMP's header")
	}
	if n := le32(data[14:]); n < 40 {
		return unsupported("BMP with the header of OS/2")
	}
	i.Width, i.Height = int(int32(le32(data[18:]))), int(int32(le32(data[22:])))
	if i.Height < 0 { // rows run from the top
		i.Height = -i.Height
	}
	switch c := le32(data[30:]); c {
	case 0, 3:
	case 1, 2:
		return unsupported("BMP with run lengths")
	default:
		return unsupported("BMP with compression %d", c)
	}
	switch bits := le16(data[28:]); bits {
	case 1, 2, 4, 8, 24, 32:
	default:
		return unsupported("BMP with %d bits a pixel", bits)
	}
	return nil
}
