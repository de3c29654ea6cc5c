package webp

import (
	"fmt"
	"io"
)

// decodeAlpha decodes the opacity of w×h pixels that a lossy picture has in a chunk of its own.
//
//	reserved:2 preprocessing:2 filter:2 compression:2  { samples, or a VP8L stream without its header }
func decodeAlpha(chunk []byte, w, h int) ([]byte, error) {
	if len(chunk) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	var alpha []byte
	switch head, data := chunk[0], chunk[1:]; head & 3 {
	case 0:
		if len(data) < w*h {
			return nil, io.ErrUnexpectedEOF
		}
		alpha = append(make([]byte, 0, w*h), data[:w*h]...)
	case 1:
		bits := uint32(w-1) | uint32(h-1)<<14
		stream := append([]byte{0x2f, byte(bits), byte(bits >> 8), byte(bits >> 16), byte(bits >> 24)}, data...)
		err := interleaved(stream, w, h, func(pix []byte, stride int) {
			alpha = make([]byte, w*h)
			for y := range h {
				row := pix[y*stride:][:4*w]
				for x := range w {
					alpha[y*w+x] = row[4*x+1] // it is coded as green
				}
			}
		})
		if err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("webp: alpha of the unknown compression %d", head&3)
	}
	unfilterAlpha(alpha, w, chunk[0]>>2&3)
	return alpha, nil
}

// unfilterAlpha undoes a filter: samples are stored as differences to the one to the left (1), above (2), or to both
// minus the corner (3). The first row always has differences to the left, the first column to the one above.
func unfilterAlpha(alpha []byte, w int, filter byte) {
	if filter == 0 {
		return
	}
	for x := 1; x < w; x++ {
		alpha[x] += alpha[x-1]
	}
	for ; len(alpha) > w; alpha = alpha[w:] {
		above, row := alpha[:w], alpha[w:2*w]
		row[0] += above[0]
		switch filter {
		case 1:
			for x := 1; x < w; x++ {
				row[x] += row[x-1]
			}
		case 2:
			for x := 1; x < w; x++ {
				row[x] += above[x]
			}
		case 3:
			for x := 1; x < w; x++ {
				row[x] += byte(min(max(int(row[x-1])+int(above[x])-int(above[x-1]), 0), 255))
			}
		}
	}
}
