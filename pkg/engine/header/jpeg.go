package header

import (
	"bytes"
	"slices"
)

const (
	exifPrefix      = "Exif\x00\x00"
	xmpPrefix       = "http://ns.adobe.com/xap/1.0/\x00"
	iccPrefix       = "ICC_PROFILE\x00"
	photoshopPrefix = "Photoshop 3.0\x00"
)

// readJPEG walks the marker segments up to the first scan.
//
//	FFD8  { FF.. marker length:16 payload }  FFDA length:16 components:8 …
func (i *Info) readJPEG(data []byte) error {
	var profile [][]byte // chunks by sequence number
	index := 0           // of other pictures
	for at := 2; ; {
		for at < len(data) && data[at] != 0xff { // what is between segments is skipped, as all decoders do
			at++
		}
		for at < len(data) && data[at] == 0xff {
			at++
		}
		if at >= len(data) {
			return truncated("the JPEG's header")
		}
		marker := data[at]
		at++
		if marker == 0 || marker == 0x01 || 0xd0 <= marker && marker <= 0xd8 { // no payload
			continue
		}
		if marker == 0xd9 {
			return corrupt("the JPEG ends before its first scan")
		}
		if at+2 > len(data) {
			return truncated("the JPEG's header")
		}
		n := be16(data[at:])
		if n < 2 {
			return corrupt("a JPEG segment has length %d", n)
		}
		if at+n > len(data) {
			return truncated("the JPEG's header")
		}
		payload := data[at+2 : at+n]
		if marker == 0xe2 && index == 0 && bytes.HasPrefix(payload, []byte(MPFPrefix)) {
			index = at + 2 + len(MPFPrefix)
		}
		at += n
		if marker == 0xda {
			if i.Width == 0 && i.Height == 0 && i.JPEG.Components == 0 {
				return corrupt("the JPEG's scan comes before its frame header")
			}
			i.JPEG.OneScan = !i.JPEG.Progressive && len(payload) > 0 && int(payload[0]) == i.JPEG.Components
			i.ICC = joinProfile(profile)
			i.Orientation = Orientation(i.EXIF)
			if i.Video = isMotionPhoto(i.XMP); index > 0 && !i.inside {
				i.readMPF(data, index)
			}
			return nil
		}
		if err := i.jpegSegment(marker, payload, &profile); err != nil {
			return err
		}
	}
}

func (i *Info) jpegSegment(marker byte, p []byte, profile *[][]byte) error {
	switch {
	case 0xc0 <= marker && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc:
		return i.jpegFrame(marker, p)
	case marker == 0xfe:
		i.Text = true
	case marker == 0xe1 && bytes.HasPrefix(p, []byte(exifPrefix)):
		if i.EXIF == nil {
			i.EXIF = p[len(exifPrefix):]
		}
	case marker == 0xe1 && bytes.HasPrefix(p, []byte(xmpPrefix)):
		if i.XMP == nil {
			i.XMP = p[len(xmpPrefix):]
		}
	case marker == 0xe2 && bytes.HasPrefix(p, []byte(iccPrefix)) && len(p) >= len(iccPrefix)+2:
		if seq := int(p[len(iccPrefix)]); seq > 0 {
			if len(*profile) < seq {
				*profile = append(*profile, make([][]byte, seq-len(*profile))...)
			}
			(*profile)[seq-1] = p[len(iccPrefix)+2:]
		}
	case marker == 0xe2 && bytes.HasPrefix(p, []byte(ISOPrefix)):
		i.iso = p[len(ISOPrefix):]
	case marker == 0xed && bytes.HasPrefix(p, []byte(photoshopPrefix)):
		if iptc := photoshopIPTC(p[len(photoshopPrefix):]); iptc != nil {
			i.IPTC = iptc
		}
	case marker == 0xee && bytes.HasPrefix(p, []byte("Adobe")) && len(p) >= 12:
		i.JPEG.Adobe = true
	}
	return nil
}

func (i *Info) jpegFrame(marker byte, p []byte) error {
	switch marker {
	case 0xc0, 0xc1, 0xc2:
	case 0xc3:
		return unsupported("lossless JPEG")
	case 0xc9, 0xca:
		i.JPEG.Arithmetic = true
	case 0xcb, 0xcd, 0xce, 0xcf:
		return unsupported("arithmetic-coded JPEG, lossless or hierarchical")
	default:
		return unsupported("hierarchical JPEG")
	}
	if i.JPEG.Components != 0 {
		return corrupt("the JPEG has two frame headers")
	}
	if len(p) < 6 {
		return corrupt("the JPEG's frame header is too short")
	}
	if i.JPEG.Precision = int(p[0]); i.JPEG.Precision != 8 && i.JPEG.Precision != 12 {
		return unsupported("JPEG with %d bits a sample", i.JPEG.Precision)
	}
	i.Height, i.Width = be16(p[1:]), be16(p[3:])
	if i.Height == 0 && i.Width > 0 {
		return unsupported("JPEG whose height comes after the first scan")
	}
	i.JPEG.Components = int(p[5])
	if n := i.JPEG.Components; n != 1 && n != 3 && n != 4 {
		return unsupported("JPEG with %d components", n)
	}
	i.JPEG.Progressive = marker == 0xc2 || marker == 0xca
	i.Gray, i.CMYK = i.JPEG.Components == 1, i.JPEG.Components == 4
	return nil
}

// joinProfile joins the chunks of a profile; one that misses a chunk is none.
func joinProfile(chunks [][]byte) []byte {
	if len(chunks) == 0 || slices.ContainsFunc(chunks, func(c []byte) bool { return c == nil }) {
		return nil
	}
	return slices.Concat(chunks...)
}

// photoshopIPTC finds the IIM records among Photoshop's resources.
//
//	"8BIM" id:16 name:pascal(even) size:32 data(even)
func photoshopIPTC(p []byte) []byte {
	for len(p) >= 12 && string(p[:4]) == "8BIM" {
		id := be16(p[4:])
		at := 6 + (int(p[6])+2)&^1
		if at+4 > len(p) {
			return nil
		}
		n := be32(p[at:])
		at += 4
		if n > len(p)-at {
			return nil
		}
		if id == 0x0404 {
			return p[at : at+n]
		}
		at += (n + 1) &^ 1
		if at > len(p) {
			return nil
		}
		p = p[at:]
	}
	return nil
}
