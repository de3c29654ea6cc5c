package hevc

// decoder holds the state of a picture in work.
//
// A picture is decoded by bands: rows of coding tree blocks, or of tiles where several of these are side by side. When
// a band is whole it is filtered and goes out as 8-bit samples, so that memory holds one band of the wide ones.
type decoder struct {
	options
	sets sets
	raw  []byte // a unit, unescaped

	seq *sequence
	pic *parameters
	out *Picture

	// Coding tree blocks. Lists of them are in raster order but for order.
	across, down int
	order        []int32 // raster addresses in the order of decoding
	tileOf       []int32
	sliceOf      []int32 // index of slices, or -1 before it is decoded
	slices       []*slice
	next         int   // in order
	columns      []int // where tiles begin
	rows         []int

	c       cabac
	saved   context // where a dependent slice segment goes on
	above   context // where the next row of a wavefront begins
	s       *slice
	address int // of the coding tree block in work
	x, y    int // of its first sample
	near    neighbors

	depths      []uint8 // of coding blocks above, for each 8 samples
	depthsLeft  [8]uint8
	modesAbove  [17]uint8 // of blocks of 4 samples in the coding tree block, and what lies left of it
	modesLeft   [16]uint8
	unit                // the coding unit in work
	units       []uint8 // of 8×8 samples: unitEdges and so on
	qps         []int8  // QpY of 8×8 samples
	unitsAcross int

	bands     [3]band
	bandFirst int // the first row of coding tree blocks of the band
	bandEnd   int
	saos      []sao // of coding tree blocks

	coefficients [32 * 32]int16
	levels       levels
	refs         [4*32 + 1 + 15]uint16
	smooth       [4*32 + 1 + 15]uint16
	side         [3*32 + 1 + 15]uint16
	turned       [32 * 32]uint16
	transformed  [32 * 32]int16
}

// context is what is kept of a cabac.
type context struct {
	states [contexts]uint8
	rices  [4]uint8
}

// neighbors says which coding tree blocks beside the one in work are of the same slice and tile, and decoded.
type neighbors struct {
	left, above, aboveLeft, aboveRight bool
	filterLeft, filterAbove            bool // edges to them are deblocked
}

// Flags of 8×8 samples.
const (
	leftUpper  = 1 << iota // the left edge of the upper four rows is one of a transform block
	leftLower              // and of the lower ones
	upperLeft              // the upper edge of the four columns on the left
	upperRight             // and of those on the right
	lossless               // not changed by filters
)

// band is some rows of a component, and carried rows of the band before above them.
type band struct {
	pix    []uint16
	stride int
	rows   int      // without those carried
	carry  int      // how many rows are carried
	line   []uint16 // the last row of the band before, not filtered
}

// carried is how many rows of luma a band keeps of the one before: what is not put out, and what filters look at.
const carried = 16

// activate makes ready for a picture of a set of parameters.
func (d *decoder) activate(id int) error {
	pic := d.sets.pictures[id]
	seq := d.sets.sequences[pic.sequence]
	if seq == nil {
		return corrupt("the sequence %d is missing", pic.sequence)
	}
	if err := d.limit.CheckSize(format, int64(seq.width), int64(seq.height)); err != nil {
		return err
	}
	d.seq, d.pic = seq, pic
	mask := 1<<seq.log2CTB - 1
	d.across, d.down = (seq.width+mask)>>seq.log2CTB, (seq.height+mask)>>seq.log2CTB
	blocks := d.across * d.down
	d.layTiles()
	d.sliceOf = resized(d.sliceOf, blocks)
	for i := range d.sliceOf {
		d.sliceOf[i] = -1
	}
	d.slices = d.slices[:0]
	d.next = 0
	d.saos = resized(d.saos, blocks)
	d.unitsAcross = d.across << (seq.log2CTB - 3)
	d.depths = resized(d.depths, d.unitsAcross)
	d.units = resized(d.units, d.unitsAcross*d.down<<(seq.log2CTB-3))
	clear(d.units)
	d.qps = resized(d.qps, len(d.units))
	rows := 1
	if d.pic.columns > 1 {
		for i := range d.pic.rows {
			rows = max(rows, d.rows[i+1]-d.rows[i])
		}
	}
	for c := range seq.components() {
		b := &d.bands[c]
		b.stride = d.across<<seq.log2CTB>>seq.across(c) + 32
		b.carry = carried >> seq.down(c)
		b.rows = rows << seq.log2CTB >> seq.down(c)
		b.pix = resized(b.pix, b.stride*(b.rows+b.carry+1)+32)
		b.line = resized(b.line, b.stride)
	}
	d.bandFirst = 0
	d.bandEnd = d.endOfBand(0)
	d.prepareLevels()
	d.out = d.newPicture()
	return nil
}

// newPicture returns the picture that is put out, still empty.
func (d *decoder) newPicture() *Picture {
	seq := d.seq
	p := &Picture{Width: seq.shownWidth, Height: seq.shownHeight}
	for c := range seq.components() {
		w := (seq.shownWidth + 1<<seq.across(c) - 1) >> seq.across(c)
		h := (seq.shownHeight + 1<<seq.down(c) - 1) >> seq.down(c)
		p.Planes = append(p.Planes, Plane{Pix: make([]byte, w*h), Stride: w, Width: w, Height: h})
	}
	return p
}

// resized returns a slice of n elements, of s where that is large enough. Its elements may be anything.
func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// layTiles lists the coding tree blocks in the order of decoding (6.5.1).
func (d *decoder) layTiles() {
	p := d.pic
	d.columns = starts(p.columns, d.across, p.uniform, p.columnWidths)
	d.rows = starts(p.rows, d.down, p.uniform, p.rowHeights)
	d.order = d.order[:0]
	d.tileOf = resized(d.tileOf, d.across*d.down)
	for r := range p.rows {
		for c := range p.columns {
			for y := d.rows[r]; y < d.rows[r+1]; y++ {
				for x := d.columns[c]; x < d.columns[c+1]; x++ {
					d.order = append(d.order, int32(y*d.across+x))
					d.tileOf[y*d.across+x] = int32(r*p.columns + c)
				}
			}
		}
	}
}

// endOfBand returns the row of coding tree blocks behind a band.
func (d *decoder) endOfBand(first int) int {
	if d.pic.columns == 1 {
		return min(first+1, d.down)
	}
	for _, end := range d.rows {
		if end > first {
			return end
		}
	}
	return d.down
}

// at returns where a sample is in a band.
func (d *decoder) at(c, x, y int) int {
	b := &d.bands[c]
	return (y-d.bandFirst<<d.seq.log2CTB>>d.seq.down(c)+b.carry)*b.stride + x
}
