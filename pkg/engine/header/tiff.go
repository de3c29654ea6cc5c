package header

import "slices"

// readTIFF reads the first directory. Further pages are not looked at.
func (i *Info) readTIFF(data []byte) error {
	if len(data) < 8 {
		return truncated("the TIFF's header")
	}
	if data[2] == '+' || data[3] == '+' {
		return unsupported("BigTIFF")
	}
	order, list := Directory(data)
	if order == nil {
		return corrupt("the TIFF has no byte order")
	}
	if list == nil {
		if at := int64(order.Uint32(data[4:])); at+2 > int64(len(data)) {
			return truncated("the TIFF's header")
		}
		return corrupt("the TIFF's directory is empty")
	}
	compression, photometric, samples, bits := 1, 1, 1, 1
	for _, e := range list {
		switch e.Tag {
		case TagWidth:
			i.Width = max(0, e.Int(order))
		case TagHeight:
			i.Height = max(0, e.Int(order))
		case TagCompression:
			compression = e.Int(order)
		case TagPhotometric:
			photometric = e.Int(order)
		case TagSamples:
			samples = e.Int(order)
		case TagBits:
			bits = e.Int(order)
		case TagOrientation:
			if o := e.Int(order); 1 <= o && o <= 8 {
				i.Orientation = o
			}
		case TagXMP:
			i.XMP = e.Value
		case TagIPTC:
			i.IPTC = e.Value
		case TagICC:
			i.ICC = e.Value
		case TagExif, TagArtist, TagCopyright:
			i.EXIF = data // the directories refer to the whole file
		}
	}
	i.Gray = photometric <= 1
	switch photometric {
	case 0, 1, 2, 3:
	case 5:
		return unsupported("CMYK TIFF")
	case 6:
		return unsupported("YCbCr TIFF")
	case 8, 9, 10:
		return unsupported("Lab TIFF")
	default:
		return unsupported("TIFF with colour space %d", photometric)
	}
	if !slices.Contains([]int{1, 3, 4, 5, 8, 32773, 32946}, compression) {
		if compression == 6 || compression == 7 {
			return unsupported("TIFF with JPEG compression")
		}
		return unsupported("TIFF with compression %d", compression)
	}
	if !slices.Contains([]int{1, 2, 4, 8, 16}, bits) {
		return unsupported("TIFF with %d bits a sample", bits)
	}
	if samples > 4 {
		return unsupported("TIFF with %d samples a pixel", samples)
	}
	return nil
}
