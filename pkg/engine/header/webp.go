package header

// readWebP walks the chunks.
//
//	"RIFF" size:32 "WEBP"  { type:4 size:32 data(even) }
func (i *Info) readWebP(data []byte) error {
	if len(data) < 20 {
		return truncated("the WebP's header")
	}
	end := le32(data[4:]) + 8
	if end > len(data) || end < 12 {
		i.Truncated = end > len(data)
		end = len(data)
	}
	extended := false
	frames := 0
	for at := 12; at+8 <= end; {
		kind, n := string(data[at:at+4]), le32(data[at+4:])
		at += 8
		if n > end-at {
			i.Truncated = true
			n = end - at
		}
		p := data[at : at+n]
		switch {
		case kind == "VP8X" && len(p) >= 10:
			extended = true
			i.Width, i.Height = le24(p[4:])+1, le24(p[7:])+1
		case kind == "VP8 " && !extended && len(p) >= 10:
			if string(p[3:6]) != "\x9d\x01\x2a" {
				return corrupt("the WebP's key frame has no start code")
			}
			i.Width, i.Height = le16(p[6:])&0x3fff, le16(p[8:])&0x3fff
		case kind == "VP8L" && !extended && len(p) >= 5:
			if p[0] != 0x2f {
				return corrupt("the WebP's lossless stream has no signature")
			}
			bits := le32(p[1:])
			i.Width, i.Height = bits&0x3fff+1, bits>>14&0x3fff+1
		case kind == "ANMF":
			frames++
		case kind == "EXIF":
			i.EXIF = p
			if len(p) > 6 && string(p[:6]) == exifPrefix { // against the specification, but seen
				i.EXIF = p[6:]
			}
			i.Orientation = Orientation(i.EXIF)
		case kind == "XMP ":
			i.XMP = p
		case kind == "ICCP":
			i.ICC = p
		}
		at += n + n&1
	}
	if i.Width == 0 || i.Height == 0 {
		if i.Truncated {
			return truncated("the WebP's header")
		}
		return corrupt("the WebP has no picture")
	}
	i.Frames, i.Animation = max(1, frames), frames > 0
	return nil
}
