package jpeg

// fault is what stopped the decoding of entropy-coded data.
type fault int

const (
	noFault   fault = iota
	ranOut          // the data is consumed before the segment's MCUs are complete
	badCode         // bits that the Huffman table gives no meaning
	pastBlock       // a run of zeros that leads past coefficient 63
	tooGreat        // a coefficient of more bits than there can be
)

func (f fault) String() string {
	return [...]string{
		noFault:   "no fault",
		ranOut:    "the data ends too early",
		badCode:   "bits that are no Huffman code",
		pastBlock: "a coefficient past the 63rd",
		tooGreat:  "a coefficient of more than 15 bits",
	}[f]
}

// fault makes the error of a fault in the current segment. Data that ran out may have seemed to be something else.
func (e *entropy) fault(f fault, p *parser, s *scan) error {
	if (f == ranOut || e.spent()) && e.marker == 0 && s.cut {
		return p.truncated(scanName(s.index))
	}
	if e.spent() {
		f = ranOut
	}
	return corruptf(s.from, "%s: %v", scanName(s.index), f)
}

// segmentEnd returns the MCU at which the restart segment ends that begins with an MCU.
func (s *scan) segmentEnd(mcu, mcus int) int {
	if s.restart == 0 {
		return mcus
	}
	return min(mcu+s.restart, mcus)
}

// restart goes on to the next segment, which must be behind the restart marker of the number, modulo 8.
func (e *entropy) restart(p *parser, s *scan, number int) error {
	for !e.whole { // data left over, or given up
		e.r.pos = uint(e.size)
		e.load()
	}
	want := markerRST0 + byte(number&7)
	if e.marker == 0 {
		return e.fault(ranOut, p, s)
	}
	if e.marker != want {
		return corruptf(s.from, "%s: marker ff %02x instead of ff %02x", scanName(s.index), e.marker, want)
	}
	e.next()
	return nil
}
