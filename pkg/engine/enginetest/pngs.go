package enginetest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
)

func pngChunk(kind string, p []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(p)))
	out = append(append(out, kind...), p...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// rawPNG writes samples in any way that PNG has. sample returns the bits of channel c at x, y.
func rawPNG(w, h, depth, kind int, interlaced bool, extra [][]byte, sample func(x, y, c int) int) []byte {
	channels := [7]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[kind]
	passes := [][4]int{{0, 0, 1, 1}}
	if interlaced {
		passes = [][4]int{
			{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
		}
	}
	var raw []byte
	for _, p := range passes {
		if p[0] >= w {
			continue
		}
		for y := p[1]; y < h; y += p[3] {
			raw = append(raw, 0) // no filter
			bits, have := 0, 0
			for x := p[0]; x < w; x += p[2] {
				for c := range channels {
					bits, have = bits<<depth|sample(x, y, c), have+depth
					for have >= 8 {
						raw, have = append(raw, byte(bits>>(have-8))), have-8
						bits &= 1<<have - 1
					}
				}
			}
			if have > 0 {
				raw = append(raw, byte(bits<<(8-have)))
			}
		}
	}
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, err := z.Write(raw)
	must(err)
	must(z.Close())
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	head = append(head, byte(depth), byte(kind), 0, 0, 0)
	if interlaced {
		head[12] = 1
	}
	out := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", head)...)
	for _, e := range extra {
		out = append(out, e...)
	}
	return append(append(out, pngChunk("IDAT", packed.Bytes())...), pngChunk("IEND", nil)...)
}

// grayOf returns img in gray, as the samples of gray PNGs hold it.
func grayOf(img *image.NRGBA) *image.NRGBA {
	out := NRGBA(img)
	for i := 0; i < len(out.Pix); i += 4 {
		y := luma(out.Pix[i:])
		out.Pix[i], out.Pix[i+1], out.Pix[i+2] = y, y, y
	}
	return out
}

func luma(p []uint8) uint8 {
	return uint8((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000)
}
