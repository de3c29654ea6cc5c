package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

// Second bytes of markers, T.81 table B.1.
const (
	markerSOF0 = 0xC0
	markerDHT  = 0xC4
	markerJPG  = 0xC8
	markerDAC  = 0xCC
	markerRST0 = 0xD0
	markerRST7 = 0xD7
	markerSOI  = 0xD8
	markerEOI  = 0xD9
	markerSOS  = 0xDA
	markerDQT  = 0xDB
	markerDNL  = 0xDC
	markerDRI  = 0xDD
	markerDHP  = 0xDE
	markerEXP  = 0xDF
	markerAPP0 = 0xE0
	markerAPPE = 0xEE
	markerAPPF = 0xEF
	markerCOM  = 0xFE
	markerTEM  = 0x01
)

// parser walks the marker segments of a file and gathers what decoding needs, without looking into the scans.
type parser struct {
	data   []byte
	pos    int // next byte to read
	header Header
	frame  frame
	scans  []scan
	lists  bool // metadata: a decoder has no use for it
	twelve bool // bits a sample are decoded, too

	quant   [4]*[64]uint16  // in zigzag order; nil until defined
	huffman [2][4]*huffSpec // by class, DC or AC, and destination; nil until defined
	restart int

	condition [2][4]byte  // of arithmetic coding, by class and destination
	known     [4][64]int8 // by component and coefficient: 1 + the lowest bit that progressive scans have coded
}

func newParser(data []byte) *parser {
	const upper, few = 0x10, 5 // what holds where nothing is said, T.81 F.1.4.4.1.4 and F.1.4.4.2.1
	return &parser{data: data, header: Header{AdobeTransform: -1}, condition: [2][4]byte{
		{upper, upper, upper, upper}, {few, few, few, few},
	}}
}

// headers reads up to the first scan, which it leaves unread.
func (p *parser) headers() error {
	if len(p.data) < 2 {
		return p.truncated("header")
	}
	if p.data[0] != 0xFF || p.data[1] != markerSOI {
		return corruptf(0, "begins with % x instead of ff d8", p.data[:2])
	}
	p.pos = 2
	for {
		marker, err := p.marker("header")
		if err != nil {
			return err
		}
		if marker == markerSOS {
			if p.frame.components == nil {
				return corruptf(p.pos, "a scan without a frame header")
			}
			p.header.RestartInterval = p.restart
			p.header.Color = p.header.color()
			return nil
		}
		if marker == markerEOI {
			return corruptf(p.pos, "end of image without a scan")
		}
		if err := p.segment(marker, "header"); err != nil {
			p.header.Color = p.header.color()
			return err
		}
	}
}

// all reads on after headers to the end of the file, listing the scans.
func (p *parser) all() error {
	marker := byte(markerSOS)
	for marker != markerEOI {
		if marker == markerSOS {
			if err := p.scan(); err != nil {
				return err
			}
			if p.repeats() {
				return nil
			}
		} else if err := p.segment(marker, p.after()); err != nil {
			return err
		}
		var err error
		if marker, err = p.marker(p.after()); err != nil {
			return err
		}
	}
	return nil
}

// repeats reports whether the last scan of a sequential file codes a component that another has coded. No scan from
// there on is decoded, and there may be millions of them: with ten bytes each, each listed in some hundred.
func (p *parser) repeats() bool {
	if p.frame.progressive {
		return false // where what was coded is known, and bounds their number
	}
	last := len(p.scans) - 1
	for _, s := range p.scans[:last] {
		for _, c := range s.components {
			if slices.Contains(p.scans[last].components, c) {
				return true
			}
		}
	}
	return false
}

// lacksOnlyEnd reports whether the scans of a progressive file that ends without its marker code every bit of every
// coefficient, so that no scan is missing. The data of the last may be cut. listed is the error of listing the scans.
func (p *parser) lacksOnlyEnd(listed error) bool {
	var truncated *TruncatedError
	if !errors.As(listed, &truncated) || !p.frame.progressive || p.frame.arithmetic {
		return false
	}
	for i := range p.frame.components {
		for _, bits := range p.known[i] {
			if bits != 1 {
				return false
			}
		}
	}
	return true
}

// after names the place in the file for errors.
func (p *parser) after() string { return scanName(len(p.scans) - 1) }

func (p *parser) truncated(during string) error {
	return &TruncatedError{Offset: len(p.data), During: during}
}

// marker returns the next marker and moves past it. Like libjpeg it skips what lies between segments.
func (p *parser) marker(during string) (byte, error) {
	for {
		i := bytes.IndexByte(p.data[p.pos:], 0xFF)
		if i < 0 {
			p.pos = len(p.data)
			return 0, p.truncated(during)
		}
		p.pos += i
		for p.pos < len(p.data) && p.data[p.pos] == 0xFF { // any number of fill bytes
			p.pos++
		}
		if p.pos == len(p.data) {
			return 0, p.truncated(during)
		}
		m := p.data[p.pos]
		p.pos++
		if m != 0 && m != markerTEM && (m < markerRST0 || m > markerRST7) {
			return m, nil
		}
	}
}

// content returns the bytes of the segment whose marker was just read and moves past it.
func (p *parser) content(during string) ([]byte, error) {
	rest := p.data[p.pos:]
	if len(rest) < 2 {
		return nil, p.truncated(during)
	}
	n := int(binary.BigEndian.Uint16(rest))
	if n < 2 {
		return nil, corruptf(p.pos, "a segment of length %d", n)
	}
	if n > len(rest) {
		return nil, p.truncated(during)
	}
	p.pos += n
	return rest[2:n:n], nil
}

// segment reads one marker segment other than SOS and EOI.
func (p *parser) segment(marker byte, during string) error {
	if marker == markerSOI || (marker > markerTEM && marker < markerSOF0) ||
		(marker > markerAPPF && marker < markerCOM) {
		return corruptf(p.pos, "marker ff %02x", marker)
	}
	at := p.pos
	b, err := p.content(during)
	if err != nil {
		return err
	}
	switch {
	case marker == markerDHT:
		return p.huffmanTables(b, at)
	case marker == markerDQT:
		return p.quantTables(b, at)
	case marker == markerDRI:
		if len(b) != 2 {
			return corruptf(at, "a restart interval of %d bytes", len(b))
		}
		p.restart = int(binary.BigEndian.Uint16(b))
	case marker == markerDHP || marker == markerEXP:
		return &UnsupportedError{Hierarchical}
	case marker == markerDAC:
		return p.conditioning(b, at)
	case marker >= markerSOF0 && marker < markerRST0:
		return p.frameHeader(marker, b, at)
	case marker >= markerAPP0 && marker <= markerAPPF || marker == markerCOM:
		if len(p.scans) == 0 {
			p.metadata(marker, b)
		}
	}
	return nil
}

// metadata notes where an APPn or COM segment lies, and what JFIF and Adobe say of the colours.
func (p *parser) metadata(marker byte, b []byte) {
	switch {
	case marker == markerAPP0 && bytes.HasPrefix(b, []byte("JFIF\x00")):
		p.header.JFIF = true
	case marker == markerAPPE && len(b) >= 12 && bytes.HasPrefix(b, []byte("Adobe")):
		p.header.AdobeTransform = int(b[11])
	}
	if !p.lists || len(p.header.Segments) == MaxSegments {
		return
	}
	s := Segment{Marker: marker, Offset: p.pos - len(b), Length: len(b)}
	for _, known := range signatures {
		if marker == known.marker && bytes.HasPrefix(b, []byte(known.signature)) {
			s.Kind = known.kind
			s.Offset += len(known.signature)
			s.Length -= len(known.signature)
			break
		}
	}
	p.header.Segments = append(p.header.Segments, s)
}

// quantTables reads DQT. Tables are replaced, not changed, because components keep the one they began with.
func (p *parser) quantTables(b []byte, at int) error {
	for len(b) > 0 {
		wide, destination := int(b[0]>>4), b[0]&15
		if wide > 1 || destination > 3 {
			return corruptf(at, "quantization table of precision %d, destination %d", wide, destination)
		}
		size := 64 * (1 + wide)
		if len(b) < 1+size {
			return corruptf(at, "quantization table of %d bytes instead of %d", len(b)-1, size)
		}
		t := new([64]uint16)
		for k := range t {
			if wide == 1 {
				t[k] = binary.BigEndian.Uint16(b[1+2*k:])
			} else {
				t[k] = uint16(b[1+k])
			}
		}
		p.quant[destination] = t
		b = b[1+size:]
	}
	return nil
}

// conditioning reads DAC: for DC the bounds of small differences, for AC where the high frequencies begin.
func (p *parser) conditioning(b []byte, at int) error {
	for ; len(b) >= 2; b = b[2:] {
		class, destination, value := b[0]>>4, b[0]&15, b[1]
		if class > 1 || destination > 3 || class == 0 && value&15 > value>>4 ||
			class == 1 && (value < 1 || value > 63) {
			return corruptf(at, "conditioning %d of class %d, destination %d", value, class, destination)
		}
		p.condition[class][destination] = value
	}
	if len(b) > 0 {
		return corruptf(at, "conditioning that ends within an entry")
	}
	return nil
}

func (p *parser) huffmanTables(b []byte, at int) error {
	for len(b) > 0 {
		class, destination := b[0]>>4, b[0]&15
		if class > 1 || destination > 3 {
			return corruptf(at, "Huffman table of class %d, destination %d", class, destination)
		}
		spec, n, err := readHuffSpec(b[1:], class, at)
		if err != nil {
			return err
		}
		p.huffman[class][destination] = spec
		b = b[1+n:]
	}
	return nil
}
