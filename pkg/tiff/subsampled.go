package tiff

// unitRow returns the size of a row of data units. A unit holds subX×subY samples of Y, then one of Cb and one of Cr.
func unitRow(width, subX, subY int) int { return (width + subX - 1) / subX * (subX*subY + 2) }

// subsampled expands data units into rows with Y, Cb and Cr for each pixel.
type subsampled struct {
	stream
	width, subX, subY int
	units             []byte
	rows              []byte // the expanded rows of the current units
	left              int    // rows that were not yet read
}

func newSubsampled(s stream, width, subX, subY int) *subsampled {
	return &subsampled{
		stream: s, width: width, subX: subX, subY: subY,
		units: make([]byte, unitRow(width, subX, subY)), rows: make([]byte, 3*width*subY),
	}
}

func (s *subsampled) read(dst []byte) error {
	if s.left == 0 {
		if err := s.stream.read(s.units); err != nil {
			return err
		}
		s.spread()
		s.left = s.subY
	}
	copy(dst, s.rows[(s.subY-s.left)*3*s.width:])
	s.left--
	return nil
}

func (s *subsampled) spread() {
	units := s.units
	luma := s.subX * s.subY
	for from := 0; from < s.width; from += s.subX {
		unit := units[:luma+2]
		units = units[luma+2:]
		for y := range s.subY {
			for x := range min(s.subX, s.width-from) {
				p := s.rows[3*(y*s.width+from+x):][:3]
				p[0], p[1], p[2] = unit[y*s.subX+x], unit[luma], unit[luma+1]
			}
		}
	}
}
