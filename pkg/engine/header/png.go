package header

import (
	"bytes"
	"compress/zlib"
	"hash/crc32"
	"io"
)

// maxInflated bounds what a compressed profile or text may grow to.
const maxInflated = 16 << 20

// readPNG walks the chunks.
//
//	signature  { length:32 type:4 data crc:32 }
func (i *Info) readPNG(data []byte) error {
	at := 8
	for first := true; at+8 <= len(data); first = false {
		n, kind := be32(data[at:]), string(data[at+4:at+8])
		if n < 0 || n > 1<<31-1 {
			return corrupt("a PNG chunk has length %d", uint32(n))
		}
		if first && (kind != "IHDR" || n != 13) {
			return corrupt("the PNG does not begin with its header")
		}
		if !first && kind == "IHDR" {
			return corrupt("the PNG has a second header")
		}
		if at+12+n > len(data) {
			if first {
				return truncated("the PNG's header")
			}
			i.Truncated = true
			return nil
		}
		ancillary, sum := kind[0]&0x20 != 0, uint32(be32(data[at+8+n:]))
		if !ancillary || crc32.ChecksumIEEE(data[at+4:at+8+n]) == sum {
			i.pngChunk(kind, data[at+8:at+8+n]) // a damaged chunk that is not needed for the pixels is ignored
		}
		if kind == "IEND" {
			return nil
		}
		at += 12 + n
	}
	if i.Width == 0 {
		return truncated("the PNG's header")
	}
	i.Truncated = true
	return nil
}

func (i *Info) pngChunk(kind string, p []byte) {
	switch kind {
	case "IHDR":
		i.Width, i.Height = be32(p), be32(p[4:])
		i.Gray, i.Alpha = p[9] == 0 || p[9] == 4, p[9] == 4 || p[9] == 6
	case "tRNS":
		i.Alpha = true
	case "eXIf":
		i.EXIF = bytes.TrimPrefix(p, []byte(exifPrefix))
		i.Orientation = Orientation(i.EXIF)
	case "iCCP":
		_, after, found := bytes.Cut(p, []byte{0})
		if found && len(after) > 1 && after[0] == 0 {
			i.ICC = inflate(after[1:])
		}
	case "iTXt":
		key, after, found := bytes.Cut(p, []byte{0})
		if string(key) != "XML:com.adobe.xmp" || !found || len(after) < 2 {
			i.Text = true
			return
		}
		compressed := after[0] == 1
		_, after, _ = bytes.Cut(after[2:], []byte{0}) // language
		_, text, ok := bytes.Cut(after, []byte{0})    // translated keyword
		if compressed {
			text = inflate(text)
		}
		if ok && text != nil {
			i.XMP = text
		}
	case "tEXt", "zTXt":
		i.Text = true
	}
}

func inflate(p []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(p))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(r, maxInflated+1))
	if err != nil || len(out) > maxInflated {
		return nil
	}
	return out
}
