package jpeg

// selected is a scan that is needed, and for what.
type selected struct {
	*scan
	values bool // some of its coefficients are needed by the scale
	track  bool // a later scan that is needed refines coefficients of its band: which of them are zero must be known
}

// selectScans returns the scans of a progressive file that a scale needs, in their order. It goes backwards: a scan
// is needed for its values, or because a refining scan behind it, itself needed, can only be read by someone who
// knows which coefficients are zero.
func selectScans(scans []scan, scale Scale, skipRefinement bool) []selected {
	needed := make([]selected, len(scans))
	first := len(scans) // of those needed
	values := neededMask(scale)
	var refined [4]uint64 // by component: coefficients that needed scans refine
	for i := len(scans) - 1; i >= 0; i-- {
		s := &scans[i]
		if s.start == 0 {
			first--
			needed[first] = selected{scan: s, values: true}
			continue
		}
		if s.high > 0 && skipRefinement && scale <= Quarter {
			continue
		}
		c, band := s.components[0], bandMask(s.start, s.end)
		if band&(values|refined[c]) == 0 {
			continue
		}
		first--
		needed[first] = selected{scan: s, values: band&values != 0, track: band&refined[c] != 0}
		if s.high > 0 {
			refined[c] |= band
		}
	}
	return needed[first:]
}

// bandMask has the bits from start to end set.
func bandMask(start, end int) uint64 { return ^uint64(0) >> (63 - end) &^ (1<<start - 1) }
