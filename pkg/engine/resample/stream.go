package resample

import "github.com/imagefarm/imagefarm/pkg/engine/picture"

// Stream makes smaller planes of a picture while its rows arrive, and keeps no more rows than its filters reach over.
type Stream struct {
	resampler *Resampler
	bands     []picture.Plane // of each channel, the rows that filters may still reach
	first     int             // number of the bands' first row
	rows      int             // in the bands
	height    int             // of the picture
	targets   []*target
	separated [][]byte // the row of each band that is written
}

// target is one picture that is made.
type target struct {
	planes        []*picture.Plane
	columns, rows *kernel
	begin, end    int // samples of a row that are read
	y             int // next row of planes
}

// spareRows is how many rows a band has besides those that a filter reaches over, so that it is seldom moved.
const spareRows = 32

// NewStream returns a Stream of a picture of w×h pixels with so many channels.
func NewStream(r *Resampler, channels, w, h int) *Stream {
	s := &Stream{
		resampler: r, bands: make([]picture.Plane, channels), height: h, separated: make([][]byte, channels),
	}
	for i := range s.bands {
		s.bands[i] = picture.Plane{Stride: w, Width: w}
	}
	return s
}

// Add asks for planes, one for each channel and all of one size, that show a window of the picture, given as spans
// of its columns and rows. It is called before the first row.
func (s *Stream) Add(planes []*picture.Plane, across, down picture.Span) {
	dst, src := planes[0], &picture.Plane{Width: s.bands[0].Width, Height: s.height, Across: across, Down: down}
	t := &target{
		planes: planes,
		columns: s.resampler.kernels.of(shape{
			size: src.Height, from: down, room: src.Height, unit: columnTaps, n: dst.Height, to: dst.Down, many: 1,
		}),
		rows: s.resampler.kernels.of(rowShape(dst, src, gaussian{})),
	}
	t.begin, t.end = t.rows.reads(dst.Width, src.Width)
	s.targets = append(s.targets, t)
	for i := range s.bands {
		if b := &s.bands[i]; b.Height < t.columns.taps+spareRows {
			b.Height = t.columns.taps + spareRows
			b.Pix = make([]byte, b.Height*b.Stride)
		}
	}
}

// Row takes the next row of interleaved samples.
func (s *Stream) Row(row []byte) {
	if s.rows == s.bands[0].Height {
		s.drop()
	}
	for c := range s.bands {
		s.separated[c] = s.bands[c].Pix[s.rows*s.bands[c].Stride:][:s.bands[c].Width]
	}
	picture.Separate(s.separated, row)
	s.rows++
	for _, t := range s.targets {
		for t.y < t.planes[0].Height && int(t.columns.starts[t.y])+t.columns.taps <= s.first+s.rows {
			s.emit(t)
		}
	}
}

// drop moves the bands on to the first row that is still needed.
func (s *Stream) drop() {
	needed := s.first + s.rows
	for _, t := range s.targets {
		if t.y < t.planes[0].Height {
			needed = min(needed, int(t.columns.starts[t.y]))
		}
	}
	gone := needed - s.first
	for c := range s.bands {
		b := &s.bands[c]
		copy(b.Pix, b.Pix[gone*b.Stride:s.rows*b.Stride])
	}
	s.first, s.rows = needed, s.rows-gone
}

// emit makes the next row of a target.
func (s *Stream) emit(t *target) {
	r := s.resampler
	r.prepare(t.rows, s.bands[0].Width)
	at := int(t.columns.starts[t.y]) - s.first
	weights := t.columns.weights[t.y*t.columns.taps:][:t.columns.taps]
	for c := range s.bands {
		b, dst := &s.bands[c], t.planes[c]
		addColumns(r.between[t.begin:t.end], b.Pix[at*b.Stride+t.begin:], b.Stride, weights)
		addRow(r.out, r.between, t.rows.starts, t.rows.weights, t.rows.taps)
		copy(dst.Pix[t.y*dst.Stride:], r.out[:dst.Width])
	}
	t.y++
}
