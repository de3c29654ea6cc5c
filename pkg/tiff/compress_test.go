package tiff

import (
	"bytes"
	"compress/zlib"
	"strings"

	"github.com/klauspost/compress/zstd"
)

func (s spec) compress(rows [][]byte, width int) []byte {
	raw := bytes.Join(rows, nil)
	switch s.compression {
	case packBits:
		return encodePackBits(raw)
	case lzw:
		return encodeLZW(raw)
	case deflate, oldDeflate:
		var b bytes.Buffer
		z := zlib.NewWriter(&b)
		_, _ = z.Write(raw)
		_ = z.Close()
		return b.Bytes()
	case zstdCompression:
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithWindowSize(1<<16))
		if err != nil {
			panic(err)
		}
		return e.EncodeAll(raw, nil)
	case faxRLE, faxRLEW, faxT4, faxT6:
		return encodeFax(s.compression, s.t4, rows, width)
	}
	return raw
}

func encodePackBits(p []byte) (out []byte) {
	for len(p) > 0 {
		n := 1
		for n < len(p) && n < 128 && p[n] == p[0] {
			n++
		}
		if n > 1 {
			out = append(out, byte(1-n), p[0])
			p = p[n:]
			continue
		}
		for n < len(p) && n < 128 && p[n] != p[n-1] {
			n++
		}
		out = append(append(out, byte(n-1)), p[:n]...)
		p = p[n:]
	}
	return append(out, 128)
}

// bitWriter writes bits, the highest first.
type bitWriter struct {
	out  []byte
	acc  uint64
	have int
}

func (w *bitWriter) put(v uint64, n int) {
	w.acc, w.have = w.acc<<n|v, w.have+n
	for ; w.have >= 8; w.have -= 8 {
		w.out = append(w.out, byte(w.acc>>(w.have-8)))
	}
}

func (w *bitWriter) code(code string) {
	for _, c := range code {
		w.put(uint64(c-'0'), 1)
	}
}

func (w *bitWriter) align(to int) {
	for (len(w.out)*8+w.have)%to != 0 {
		w.put(0, 1)
	}
}

func encodeLZW(p []byte) []byte {
	var w bitWriter
	codes, next, width := map[string]int{}, 258, 9
	code := func(s string) int {
		if len(s) == 1 {
			return int(s[0])
		}
		return codes[s]
	}
	w.put(lzwClear, width)
	s := ""
	for _, c := range p {
		t := s + string([]byte{c})
		if _, ok := codes[t]; ok || len(t) == 1 {
			s = t
			continue
		}
		w.put(uint64(code(s)), width)
		codes[t] = next
		next++
		if next == 1<<width && width < 12 {
			width++
		}
		if next == 4094 {
			w.put(lzwClear, width)
			codes, next, width = map[string]int{}, 258, 9
		}
		s = string([]byte{c})
	}
	if s != "" {
		w.put(uint64(code(s)), width)
		if next++; next == 1<<width && width < 12 {
			width++
		}
	}
	w.put(lzwEnd, width)
	w.align(8)
	return w.out
}

// encodeFax codes rows of bits, 1 black. T.4 options: 1 two-dimensional, 4 ends of rows on byte boundaries, 8 (none
// of T.4's) no ends of rows.
func encodeFax(c compression, options int, rows [][]byte, width int) []byte {
	var w bitWriter
	runs := func(black bool, n int) {
		codes := strings.Fields(whiteCodes)
		if black {
			codes = strings.Fields(blackCodes)
		}
		for n >= 2560 {
			w.code(codes[63+40])
			n -= 2560
		}
		if n >= 64 {
			w.code(codes[63+n/64])
		}
		w.code(codes[n%64])
	}
	changes := func(row []byte) (list []int) {
		black := false
		for x := range width {
			if b := row[x>>3]>>(7-x&7)&1 == 1; b != black {
				list, black = append(list, x), b
			}
		}
		return list
	}
	beyond := func(list []int, a0 int, black bool) (int, int) { // b1 and b2
		for i, x := range append(list, width, width) {
			if x > a0 && (i&1 == 1) == black || i >= len(list) {
				return x, append(list, width, width, width)[i+1]
			}
		}
		return width, width
	}
	end := func(twoD bool) {
		if options&4 != 0 {
			for (len(w.out)*8+w.have+12)%8 != 0 {
				w.put(0, 1)
			}
		}
		if options&8 == 0 {
			w.code("000000000001")
		}
		if options&1 != 0 {
			w.code(map[bool]string{false: "1", true: "0"}[twoD])
		}
	}
	var above []int
	for y, row := range rows {
		list := changes(row)
		two := c == faxT6 || c == faxT4 && options&1 != 0 && y%3 != 0
		if c == faxT4 {
			end(two)
		}
		if !two {
			at, black := 0, false
			for _, x := range append(list, width) {
				runs(black, x-at)
				at, black = x, !black
			}
			switch c {
			case faxRLE:
				w.align(8)
			case faxRLEW:
				w.align(16)
			}
			above = list
			continue
		}
		a0, black := -1, false
		for a0 < width {
			next := func(from int) int {
				for _, x := range list {
					if x > from {
						return x
					}
				}
				return width
			}
			a1 := next(a0)
			if a0 == -1 && len(list) > 0 && list[0] == 0 {
				a1 = 0
			}
			b1, b2 := beyond(above, a0, black)
			switch d := a1 - b1; {
			case b2 < a1:
				w.code("0001")
				a0 = b2
			case d >= -3 && d <= 3:
				w.code([]string{"0000010", "000010", "010", "1", "011", "000011", "0000011"}[d+3])
				a0, black = a1, !black
			default:
				a2 := next(a1)
				w.code("001")
				runs(black, a1-max(a0, 0))
				runs(!black, a2-a1)
				a0 = a2
			}
		}
		above = list
	}
	switch c {
	case faxT6:
		w.code("000000000001000000000001")
	case faxT4:
		if options&8 == 0 {
			for range 6 {
				end(false)
			}
		}
	}
	w.align(8)
	return w.out
}
