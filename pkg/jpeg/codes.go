package jpeg

// codes are the tables by which a component's blocks are decoded in a scan.
type codes struct {
	use    use
	dc, ac *huffman
	first  firstTable
	skip   *skipTable // in skips
	skips  skipTables
	values valueTable
	age    int // when last asked for
}

// use tells which of the tables are wanted; making them all would take longer than they save in a small picture.
type use int

const (
	dcOnly use = iota // sequential scan, only DC coefficients wanted: first, skip
	someAC            // sequential scan, some AC coefficients wanted: first, values, skip
	allAC             // sequential scan, all coefficients wanted: first, values
)

// codesCache keeps tables from file to file, because many files have the same: those of annex K, or of one camera.
// A scan needs at most three at once.
type codesCache struct {
	clock   int
	entries [6]*codes
}

// get returns the tables for a pair of Huffman tables.
func (c *codesCache) get(dc, ac *huffSpec, use use) *codes {
	c.clock++
	oldest := &c.entries[0]
	for i := range c.entries {
		e := c.entries[i]
		if e != nil && e.use == use && e.dc.spec.equal(dc) && e.ac.spec.equal(ac) {
			e.age = c.clock
			return e
		}
		if e == nil || (*oldest != nil && e.age < (*oldest).age) {
			oldest = &c.entries[i]
		}
	}
	if *oldest == nil {
		*oldest = new(codes)
	}
	e := *oldest
	e.age, e.use = c.clock, use
	e.dc, e.ac = newHuffman(dc), newHuffman(ac)
	if use != allAC {
		e.skips.build(ac)
		e.skip = nil
	}
	if use == dcOnly {
		e.first.build(dc, e.skips.width)
	} else {
		var ends endTables
		ends.build(ac)
		e.first.build(dc, ends.width)
		e.values.build(ac)
	}
	if use != allAC {
		e.skip = e.skips.table()
	}
	return e
}
