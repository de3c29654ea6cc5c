package jpeg

// codes are the tables by which a component's blocks are decoded in a scan.
type codes struct {
	use    use
	dc, ac huffman
	first  firstTable
	open   openTable
	skips  skipTables
	value  valueTable
	age    int // when last asked for
}

// use tells what for, and so which of the tables are wanted; making them all would take longer than they save.
type use int

const (
	unused      use = iota
	dcOnly          // sequential scan, only DC coefficients wanted: first, skips
	someAC          // sequential scan, some AC coefficients wanted: open, value, skips
	allAC           // sequential scan, all coefficients wanted: open, value
	firstDC         // progressive: first; there is no AC table
	bandFirst       // progressive, first scan of a band: value, skips; there is no DC table
	bandRefined     // progressive, refining scan of a band: value, skips; there is no DC table
)

// codesCache keeps tables from file to file, because many files have the same: those of annex K, or of one camera.
type codesCache struct {
	clock   int
	entries [6]*codes // a scan needs at most four at once
}

// get returns the tables for a pair of Huffman tables, of which a use in progressive scans has but one.
func (c *codesCache) get(dc, ac *huffSpec, use use) *codes {
	c.clock++
	oldest := 0
	for i, e := range c.entries {
		if e == nil {
			c.entries[i] = new(codes)
			oldest = i
			break
		}
		if e.use == use && e.dc.spec.equal(dc) && e.ac.spec.equal(ac) {
			e.age = c.clock
			return e
		}
		if e.age < c.entries[oldest].age {
			oldest = i
		}
	}
	e := c.entries[oldest]
	e.age = c.clock
	e.build(dc, ac, use)
	return e
}

func (c *codes) build(dc, ac *huffSpec, use use) {
	c.use = use
	c.dc.build(dc)
	c.ac.build(ac)
	means := sequentialAC
	switch use {
	case bandFirst:
		means = firstAC
	case bandRefined:
		means = refinedAC
	}
	if use != firstDC && use != allAC {
		c.skips.build(ac, means)
	}
	var single valueTable
	switch use {
	case firstDC:
		c.first.build(dc, nothingFollows)
	case dcOnly:
		c.first.build(dc, c.skips.width)
	case someAC, allAC:
		c.value.build(ac, means, &single)
		c.open.build(dc, &c.value, &single)
	default:
		c.value.build(ac, means, &single)
	}
}
