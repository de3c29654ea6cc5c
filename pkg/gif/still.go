package gif

import (
	"io"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// Still gives the screen with the first frame on it, row by row. It holds one byte a pixel. It implements
// raster.Reader.
type Still struct {
	reader   *Reader
	frame    *Frame
	colors   [256][4]byte
	valid    [256]bool // the colours of the palette, and the transparent one
	channels int
	y        int
}

var _ raster.Reader = (*Still)(nil)

// OpenStill reads the first frame of a file. The errors are those of Open and Next.
func OpenStill(data []byte, opt raster.Options) (*Still, error) {
	r, err := Open(data, opt)
	if err != nil {
		return nil, err
	}
	f, err := r.Next()
	if err != nil {
		return nil, err
	}
	s := &Still{reader: r, frame: f, channels: 4}
	for i := range len(f.Palette) / 3 {
		copy(s.colors[i][:3], f.Palette[3*i:])
		s.colors[i][3], s.valid[i] = 255, true
	}
	if f.Transparent >= 0 {
		s.colors[f.Transparent], s.valid[f.Transparent] = [4]byte{}, true
	} else if f.X == 0 && f.Y == 0 && f.Width >= r.Width && f.Height >= r.Height {
		s.channels = 3
	}
	return s, nil
}

// Size returns the size of the screen.
func (s *Still) Size() (width, height int) { return s.reader.Width, s.reader.Height }

// Channels returns 3, or 4 where pixels may be transparent.
func (s *Still) Channels() int { return s.channels }

// Depth returns 8.
func (s *Still) Depth() int { return 8 }

// Warnings describes faults that did not change the picture.
func (s *Still) Warnings() []string { return s.reader.Warnings() }

// ReadRow stores the next row in dst.
func (s *Still) ReadRow(dst []byte) error {
	f, y := s.frame, s.y-s.frame.Y
	if s.y == s.reader.Height {
		return io.EOF
	}
	s.y++
	if s.channels == 4 {
		clear(dst[:4*s.reader.Width])
	}
	if y < 0 || y >= f.Height {
		return nil
	}
	row := f.Pix[y*f.Width:][:max(0, min(f.Width, s.reader.Width-f.X))]
	dst = dst[s.channels*f.X:]
	invalid := false
	for x, i := range row {
		c := &s.colors[i]
		invalid = invalid || !s.valid[i]
		if s.channels == 3 {
			d := dst[3*x : 3*x+3]
			d[0], d[1], d[2] = c[0], c[1], c[2]
		} else {
			*(*[4]byte)(dst[4*x:]) = *c
		}
	}
	if invalid {
		return raster.Corruptf(format, 0, "row %d has a colour beyond the palette of %d", s.y-1, len(f.Palette)/3)
	}
	return nil
}
