package tiff

import (
	"encoding/binary"
	"errors"
)

// errShort is returned by a stream whose data ends early. Reader.explain turns it into an error of package raster.
var errShort = errors.New("the data ends early")

// fault describes corrupt compressed data.
type fault string

func (f fault) Error() string { return string(f) }

// fax decodes rows of one bit a pixel that are coded as T.4 and T.6 say: a row is a list of places where the colour
// changes, beginning with white.
type fax struct {
	data        []byte // bits in order, most significant first
	pos         int    // the next bit
	columns     int
	compression compression
	tables      *faxTables
	twoRows     bool  // T.4: some rows refer to the row above
	above, row  []int // positions of colour changes, followed by columns three times
}

func (r *Reader) newFax(data []byte, columns int) *fax {
	if r.faxTables == nil {
		r.faxTables = newFaxTables()
	}
	f := &fax{data: data, columns: columns, compression: r.compression, tables: r.faxTables}
	f.twoRows = r.compression == faxT4 && r.int(tagT4Options, 0)&1 != 0
	f.above, f.row = make([]int, 0, 64), make([]int, 0, 64)
	f.row = append(f.row, columns, columns, columns)
	return f
}

// peek returns the next n bits, n at most 24. Zeros follow the end of the data.
func (f *fax) peek(n int) int {
	at := f.pos >> 3
	var v uint32
	if at+4 <= len(f.data) {
		v = binary.BigEndian.Uint32(f.data[at:])
	} else {
		for i := range 4 {
			v <<= 8
			if at+i < len(f.data) {
				v |= uint32(f.data[at+i])
			}
		}
	}
	return int(v << (f.pos & 7) >> (32 - n))
}

func (f *fax) ended() bool { return f.pos >= 8*len(f.data) }

// read decodes the next row; white is 0.
func (f *fax) read(dst []byte) error {
	two := f.compression == faxT6
	switch f.compression {
	case faxRLE:
		f.pos = (f.pos + 7) &^ 7
	case faxRLEW:
		f.pos = (f.pos + 15) &^ 15
	case faxT4:
		ends, one := f.skipEnds()
		if ends > 1 && f.ended() {
			return errShort // the end of the page
		}
		two = f.twoRows && !one
	}
	if f.ended() {
		return errShort
	}
	f.above, f.row = f.row, f.above[:0]
	err := error(nil)
	if two {
		err = f.twoDimensional()
	} else {
		err = f.oneDimensional()
	}
	if err != nil {
		return err
	}
	if f.pos > 8*len(f.data) {
		return errShort
	}
	f.row = append(f.row, f.columns, f.columns, f.columns)
	f.paint(dst)
	return nil
}

// skipEnds skips end-of-line codes (eleven zeros or more, and a one). In two-dimensional files a bit follows each code;
// one reports whether the next row is coded in one dimension.
func (f *fax) skipEnds() (ends int, one bool) {
	for {
		from, zeros := f.pos, 0
		for !f.ended() && f.peek(1) == 0 {
			f.pos++
			zeros++
		}
		if zeros < 11 || f.ended() {
			if !f.ended() || zeros < 8 {
				f.pos = from
			}
			if ends == 0 && f.twoRows {
				one = f.peek(1) == 1 // a file without end-of-line codes
				f.pos++
			}
			return ends, one
		}
		f.pos++
		ends++
		if f.twoRows {
			one = f.peek(1) == 1
			f.pos++
		}
	}
}

// run decodes a run of one colour: codes of multiples of 64, and one of less.
func (f *fax) run(black bool) (int, error) {
	table := f.tables.white
	if black {
		table = f.tables.black
	}
	total := 0
	for {
		c := table[f.peek(runBits)]
		if c.bits == 0 {
			if f.pos+runBits >= 8*len(f.data) {
				return 0, errShort
			}
			return 0, fault("a run has no code")
		}
		f.pos += int(c.bits)
		if total += int(c.run); c.run < 64 {
			return total, nil
		}
		if total > f.columns+64 {
			return 0, fault("a run is longer than the row")
		}
	}
}

func (f *fax) oneDimensional() error {
	at, black := 0, false
	for at < f.columns {
		n, err := f.run(black)
		if err != nil {
			return err
		}
		if at += n; at > f.columns {
			return fault("a run ends beyond the row")
		}
		f.row = append(f.row, at)
		black = !black
	}
	return nil
}

func (f *fax) twoDimensional() error {
	at, black := -1, false
	next := 0 // index in above of the first change that may lie right of at
	for at < f.columns {
		// The first change above, right of at, to the colour that is not the current one.
		for next > 0 && f.above[next-1] > at {
			next--
		}
		for f.above[next] <= at && f.above[next] < f.columns {
			next++
		}
		if next&1 == 1 != black && f.above[next] < f.columns {
			next++
		}
		b := f.above[next]
		m := f.tables.modes[f.peek(modeBits)]
		f.pos += int(m.bits)
		switch m.mode {
		case pass:
			if b < f.columns {
				b = f.above[next+1]
			}
			at = b
		case horizontal:
			at = max(at, 0)
			for range 2 {
				n, err := f.run(black)
				if err != nil {
					return err
				}
				if at += n; at > f.columns {
					return fault("a run ends beyond the row")
				}
				f.row = append(f.row, at)
				black = !black
			}
		case vertical:
			to := b + int(m.off)
			if to < max(at, 0) || to > f.columns {
				return fault("a change of colour lies outside of the row")
			}
			at = to
			f.row = append(f.row, at)
			black = !black
		default:
			switch {
			case f.ended(), f.peek(12) == 1:
				return errShort // the end of the page
			case f.peek(9) == 1:
				return unsupported("the uncompressed mode of fax codes")
			}
			return fault("a mode has no code")
		}
		if len(f.row) > 2*f.columns+2 {
			return fault("a row has more changes of colour than pixels")
		}
	}
	return nil
}

// paint sets the black runs of the row.
func (f *fax) paint(dst []byte) {
	clear(dst)
	for i := 0; i+1 < len(f.row) && f.row[i] < f.columns; i += 2 {
		paintRun(dst, f.row[i], f.row[i+1])
	}
}

func paintRun(dst []byte, from, to int) {
	if from >= to {
		return
	}
	first, last := from>>3, (to-1)>>3
	head, tail := byte(0xff)>>(from&7), byte(0xff)<<(7-(to-1)&7)
	if first == last {
		dst[first] |= head & tail
		return
	}
	dst[first] |= head
	for i := first + 1; i < last; i++ {
		dst[i] = 0xff
	}
	dst[last] |= tail
}
