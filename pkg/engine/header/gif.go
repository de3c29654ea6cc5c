package header

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/rows"
	"github.com/imagefarm/imagefarm/pkg/gif"
	"github.com/imagefarm/imagefarm/pkg/raster"
)

// readGIF walks the blocks and counts the frames.
//
//	"GIF8xa" width:16 height:16 flags:8 background:8 aspect:8 [palette]
//	{ 21 label { n data } 00  |  2C x y w h:16 flags:8 [palette] lzw:8 { n data } 00 }  3B
func (i *Info) readGIF(data []byte) error {
	r, err := gif.Open(data, raster.Options{MaxPixels: math.MaxInt64})
	if err != nil {
		return rows.Reject(err)
	}
	i.Width, i.Height = r.Width, r.Height // the first frame may be larger than the screen
	at := 13 + paletteSize(data[10])
	i.Frames = 0
	for {
		if at >= len(data) {
			i.Truncated = true
			break
		}
		block := data[at]
		if block == 0x3b {
			break
		}
		switch block {
		case 0x21:
			if at+2 < len(data) && data[at+1] == plainText && data[at+2] != plainTextSize {
				return corrupt("the GIF has a plain text of %d bytes in front, not %d", data[at+2], plainTextSize)
			}
			i.gifExtension(data, at)
			at += 2
		case 0x2c:
			i.Frames++
			if at+10 > len(data) {
				i.Truncated = true
				i.Frames = max(i.Frames, 1)
				return nil
			}
			at += 11 + paletteSize(data[at+9])
		case 0:
			at++ // some writers put a spare terminator between blocks
			continue
		default:
			if i.Frames == 0 {
				return corrupt("the GIF has an unknown block %#02x", block)
			}
			return nil
		}
		for at < len(data) && data[at] != 0 {
			at += 1 + int(data[at])
		}
		at++
	}
	if i.Frames == 0 && !i.Truncated {
		return corrupt("the GIF has no frame")
	}
	i.Frames = max(i.Frames, 1)
	return nil
}

// A plain text extension begins with a block of 12 bytes (GIF89a, 25). Many decoders take so many without looking,
// and would see other frames than this walk where the block says something else.
const (
	plainText     = 0x01
	plainTextSize = 12
)

func paletteSize(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

func (i *Info) gifExtension(data []byte, at int) {
	if at+2 > len(data) {
		return
	}
	switch data[at+1] {
	case 0xfe:
		i.Text = true
	case 0xff:
		if at+14 <= len(data) && string(data[at+3:at+14]) == "XMP DataXMP" {
			// The packet is stored as it is, with a trailer of 257 bytes that makes it look like blocks.
			for end := at + 14; end < len(data); end += 1 + int(data[end]) {
				if data[end] == 0 {
					if packet := data[at+14 : end+1]; len(packet) > 258 {
						i.XMP = packet[:len(packet)-258]
					}
					return
				}
			}
		}
	}
}
