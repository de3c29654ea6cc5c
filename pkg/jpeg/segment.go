package jpeg

const (
	// slack is how many bytes an MCU may consume once begun: 10 blocks of 64 symbols of 31 bits are 2480, and the
	// reader looks 8 bytes ahead. A MCU is begun only where as much data, or zeros, lie in front.
	slack = 2560

	windowSize = 1 << 16 // a power of two, so that masking a position bounds it
)

// window is the part of a restart segment's data, unstuffed, that is being decoded.
type window [windowSize + 8]byte

// entropy reads the entropy-coded data of a scan, one restart segment after the other.
type entropy struct {
	window window
	r      bits // in the window
	size   int  // data in the window, bytes
	end    int  // an MCU may begin up to here, bits from the start of the window
	whole  bool // the rest of the segment is in the window; end is its end and zeros follow
	src    []byte
	marker byte // second byte of the marker that ended the segment, 0 if src did; defined if whole

	pred      [4]int32 // DC prediction of each component
	blocksEnd int      // progressive: so many blocks to come end without a symbol of their own
	sink      sink     // sequential: the block being decoded
}

// open begins with the data of a scan.
func (e *entropy) open(src []byte) {
	e.src = src
	e.next()
}

// next begins with the next restart segment. What is left of the last one must be in the window.
func (e *entropy) next() {
	e.r, e.size, e.whole = bits{}, 0, false
	e.pred, e.blocksEnd = [4]int32{}, 0
	e.load()
}

// load moves what is unread to the front of the window and fills that, unless all is there.
func (e *entropy) load() {
	if e.whole {
		return
	}
	e.size = copy(e.window[:], e.window[e.r.pos:e.size])
	e.r.pos = 0
	for !e.whole && e.size < windowSize-slack {
		written, read := unstuff(e.window[e.size:windowSize-slack], e.src)
		e.size += written
		e.src = e.src[read:]
		switch {
		case e.size == windowSize-slack && len(e.src) > 0:
		case len(e.src) < 2: // or the file ends in FF
			e.whole, e.marker, e.src = true, 0, nil
		case e.src[1] == 0xFF: // a fill byte in front of a marker, or of FF that is data
			e.src = e.src[1:]
		default:
			e.whole, e.marker = true, e.src[1]
			e.src = e.src[2:]
		}
	}
	if e.whole {
		clear(e.window[e.size:][:slack])
		e.end = e.size * 8
	} else {
		e.end = (e.size - slack) * 8
	}
}

// maxSurplus is how many bytes, other than zeros, an encoder may leave behind the last MCU of a segment. Some
// cameras do.
const maxSurplus = 3

// surplus returns the error of data that is left over in a segment whose MCUs are decoded, or nil.
func (e *entropy) surplus(s *scan) error {
	left := 0
	for _, b := range e.window[min((e.r.consumed()+7)/8, e.size):e.size] {
		if b != 0 {
			left++
		}
	}
	if e.whole && left <= maxSurplus {
		return nil
	}
	return &CorruptError{Offset: s.from, Reason: scanName(s.index) + ": data is left over", Surplus: true}
}

// spent reports whether more was consumed than the segment has.
func (e *entropy) spent() bool { return e.whole && e.r.consumed() > e.end }

// skipEntropy finds the end of a scan's entropy-coded data: the next marker that is not a restart.
func (p *parser) skipEntropy(s *scan) {
	for {
		i := nextMarker(p.data[p.pos:])
		if i < 0 {
			p.pos, s.to, s.cut = len(p.data), len(p.data), true
			return
		}
		p.pos += i
		switch next := p.data[p.pos+1]; {
		case next == 0xFF:
			p.pos++
		case next >= markerRST0 && next <= markerRST7:
			p.pos += 2
		default:
			s.to = p.pos
			return
		}
	}
}
