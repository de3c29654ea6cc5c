package bmp

import "github.com/imagefarm/imagefarm/pkg/raster"

// place is the position at which a row of run lengths begins.
type place struct {
	at int // offset in the file; −1 if the file skips the row
	x  int // the pixel
}

// Escapes of run lengths, behind a 0.
const (
	endOfRow   = 0
	endOfImage = 1
	delta      = 2 // two bytes follow: how far to the right, and how many rows up
)

// findRuns notes where each row begins.
func (r *Reader) findRuns() error {
	r.runs, r.row = make([]place, r.height), make([]byte, r.width)
	for i := range r.runs {
		r.runs[i].at = -1
	}
	for y, p := 0, (place{at: r.pixels}); y < r.height; {
		r.runs[y] = p
		next, up, err := r.decodeRow(p, nil)
		if err != nil {
			if r.opt.AcceptTruncated && y > 0 {
				r.warnf("the file ends within row %d from below: what is missing has the first colour", y)
				return nil
			}
			return err
		}
		if up == 0 { // the end of the image
			return nil
		}
		y, p = y+up, next
	}
	return nil
}

// runRow decodes the next row from where it was noted to begin.
func (r *Reader) runRow(dst []byte) error {
	clear(r.row)
	if p := r.runs[r.height-1-r.y]; p.at >= 0 {
		if _, _, err := r.decodeRow(p, r.row); err != nil && !r.opt.AcceptTruncated {
			return err
		}
	}
	r.paint(dst)
	return nil
}

// decodeRow decodes from a place to the end of its row, and stores colours in row unless that is nil. It returns
// where the next row begins and how many rows up that is, 0 at the end of the image. Runs beyond the row are cut off.
func (r *Reader) decodeRow(p place, row []byte) (next place, up int, err error) {
	data, at, x := r.data, p.at, p.x
	put := func(v byte) {
		if x < len(row) {
			row[x] = v
		}
		x++
	}
	for {
		if at+2 > len(data) {
			return place{}, 0, raster.Truncatedf(format, "its run lengths")
		}
		count, v := int(data[at]), data[at+1]
		at += 2
		switch {
		case count > 0:
			if x > r.width {
				continue // beyond the row
			}
			for i := range count {
				if r.bits == 4 {
					put(v >> (4 - 4*(i&1)) & 15)
				} else {
					put(v)
				}
			}
		case v == endOfRow:
			return place{at, 0}, 1, nil
		case v == endOfImage:
			return place{}, 0, nil
		case v == delta:
			if at+2 > len(data) {
				return place{}, 0, raster.Truncatedf(format, "its run lengths")
			}
			x += int(data[at])
			rows := int(data[at+1])
			if at += 2; rows > 0 {
				return place{at, min(x, r.width)}, rows, nil
			}
			x = min(x, r.width)
		default: // as many colours as they are, padded to words
			count := int(v)
			size := (count*r.bits + 7) / 8
			if at+size > len(data) {
				return place{}, 0, raster.Truncatedf(format, "its run lengths")
			}
			for i := range count {
				if r.bits == 4 {
					put(data[at+i/2] >> (4 - 4*(i&1)) & 15)
				} else {
					put(data[at+i])
				}
			}
			at += (size + 1) &^ 1
			x = min(x, r.width)
		}
	}
}
