package jpeg

import (
	"encoding/binary"
	mathbits "math/bits"
	"math/rand/v2"
)

// picture is an image made for a test, by its coefficients, so that what a decoder must give is known without another
// decoder. scancoder_test.go writes it as a file.
type picture struct {
	width, height int
	parts         []part
	progressive   bool
	restart       int        // interval, MCUs
	adobe         int        // transform of an Adobe segment, -1 for none
	script        [][]passOf // scans, each of one component or several
	annexK        bool       // with the tables of annex K, where they have all symbols
	noTables      bool       // leave them out of the file
	twelve        bool       // bits a sample
}

// part is a component of a picture.
type part struct {
	id               byte
	h, v             int
	quant            [64]uint16  // zigzag order
	blocks           [][64]int16 // zigzag order; all of whole MCUs
	blocksX, blocksY int
	paddedX, paddedY int
}

// passOf is what of a component a scan codes.
type passOf struct {
	part, start, end int
	high, low        uint
}

// newPicture makes a picture of random coefficients, few and low ones in most of the blocks.
func newPicture(r *rand.Rand, width, height int, sampling ...[2]int) *picture {
	p := &picture{width: width, height: height, adobe: -1}
	hMax, vMax := 1, 1
	for _, s := range sampling {
		hMax, vMax = max(hMax, s[0]), max(vMax, s[1])
	}
	scale := 1 + r.IntN(40)
	for i, s := range sampling {
		c := part{id: byte(i + 1), h: s[0], v: s[1]}
		c.blocksX = ceilDiv(ceilDiv(width*c.h, hMax), 8)
		c.blocksY = ceilDiv(ceilDiv(height*c.v, vMax), 8)
		c.paddedX, c.paddedY = ceilDiv(width, 8*hMax)*c.h, ceilDiv(height, 8*vMax)*c.v
		for k := range c.quant {
			c.quant[k] = uint16(1 + r.IntN(scale) + k*scale/32)
		}
		c.blocks = make([][64]int16, c.paddedX*c.paddedY)
		for b := range c.blocks {
			randomBlock(r, &c.blocks[b], &c.quant)
		}
		p.parts = append(p.parts, c)
	}
	p.interleave()
	return p
}

// randomBlock makes coefficients such that no sample is farther than 300 from what the DC coefficient alone gives:
// libjpeg does not limit samples farther than 384 out of range.
func randomBlock(r *rand.Rand, b *[64]int16, quant *[64]uint16) {
	b[0] = int16((r.IntN(2040) - 1020) / int(quant[0]))
	energy := 1200 // a coefficient adds at most a quarter of itself to a sample
	if r.IntN(4) == 0 {
		energy = 100
	}
	for range []int{0, 1, 2, 4, 8, 20, 100}[r.IntN(7)] {
		k := 1 + r.IntN(1+r.IntN(63))
		most := min(energy, 1000) / int(quant[k])
		if most == 0 || b[k] != 0 {
			continue
		}
		size := 1 + r.IntN(mathbits.Len(uint(most)))
		v := min(1+r.IntN(1<<size), most)
		energy -= v * int(quant[k])
		if r.IntN(2) == 0 {
			v = -v
		}
		b[k] = int16(v)
	}
}

// interleave makes the script of a sequential file in one scan.
func (p *picture) interleave() {
	p.progressive, p.script = false, [][]passOf{nil}
	for i := range p.parts {
		p.script[0] = append(p.script[0], passOf{part: i, end: 63})
	}
}

// separate makes the script of a sequential file with a scan for each component.
func (p *picture) separate() {
	p.progressive, p.script = false, nil
	for i := range p.parts {
		p.script = append(p.script, []passOf{{part: i, end: 63}})
	}
}

// progress makes a random script of a progressive file: bands of any kind, refined in any number of steps, in any
// order behind the DC coefficients.
func (p *picture) progress(r *rand.Rand) {
	p.progressive, p.script = true, nil
	low := uint(r.IntN(4))
	together := r.IntN(2) == 0
	var queues [][][]passOf // each a sequence that must keep its order
	for high := uint(0); ; high, low = low, low-1 {
		var scans [][]passOf
		for i := range p.parts {
			if pass := (passOf{part: i, high: high, low: low}); together && i > 0 {
				scans[0] = append(scans[0], pass)
			} else {
				scans = append(scans, []passOf{pass})
			}
		}
		if high == 0 {
			p.script = scans
			queues = append(queues, nil)
		} else {
			queues[0] = append(queues[0], scans...)
		}
		if low == 0 {
			break
		}
	}
	for i := range p.parts {
		queues = append(queues, bands(r, i, uint(r.IntN(4))))
	}
	for len(queues) > 0 {
		q := r.IntN(len(queues))
		if len(queues[q]) == 0 {
			queues = append(queues[:q], queues[q+1:]...)
			continue
		}
		p.script = append(p.script, queues[q][0])
		queues[q] = queues[q][1:]
	}
}

// bands splits a component's AC coefficients into random bands down to a bit, then refines them in other bands.
func bands(r *rand.Rand, part int, low uint) (scans [][]passOf) {
	for high := uint(0); ; high, low = low, low-1 {
		for start := 1; start < 64; {
			end := 63
			if r.IntN(2) == 0 {
				end = start + r.IntN(64-start)
			}
			scans = append(scans, []passOf{{part, start, end, high, low}})
			start = end + 1
		}
		if low == 0 {
			return scans
		}
	}
}

// planes returns what the transforms make of the picture's coefficients.
func (p *picture) planes(scale Scale) (planes []graymap) {
	hMax, vMax := 1, 1
	for _, c := range p.parts {
		hMax, vMax = max(hMax, c.h), max(vMax, c.v)
	}
	side := int(scale)
	for i := range p.parts {
		c := &p.parts[i]
		padded := make([]byte, c.paddedX*c.paddedY*side*side)
		stride := c.paddedX * side
		for b := range c.blocks {
			transformBlock(padded[b/c.paddedX*side*stride+b%c.paddedX*side:], stride, scale, &c.blocks[b], &c.quant)
		}
		g := graymap{
			width:  scale.of(ceilDiv(p.width*c.h, hMax)),
			height: scale.of(ceilDiv(p.height*c.v, vMax)),
		}
		for y := range g.height {
			g.pix = append(g.pix, padded[y*stride:][:g.width]...)
		}
		planes = append(planes, g)
	}
	return planes
}

func transformBlock(dst []byte, stride int, scale Scale, zigzagged *[64]int16, quant *[64]uint16) {
	var block [64]int16
	for k, v := range zigzagged {
		if at := places[scale][k]; at != 0 {
			block[at] = v
		}
	}
	block[0] = zigzagged[0]
	arrangedQuant := arranged(quant, scale)
	switch scale {
	case Full:
		plainFull(dst, stride, &block, arrangedQuant)
	case Half:
		plainHalf(dst, stride, &block, arrangedQuant)
	case Quarter:
		quarter(dst, stride, &block, arrangedQuant)
	case ThreeEighths, FiveEighths, ThreeQuarters, SevenEighths:
		plainBetween(dst, stride, &block, arrangedQuant, scale)
	case Eighth:
		dst[0] = dcSample(int32(block[0]), int32(arrangedQuant[0]))
	}
}

// encode writes the picture as a file.
func (p *picture) encode() []byte {
	out := []byte{0xFF, markerSOI}
	if p.adobe >= 0 {
		out = segment(out, markerAPPE, append([]byte("Adobe\x00\x64\x00\x00\x00\x00"), byte(p.adobe)))
	}
	for i, c := range p.parts {
		table := []byte{0x10 | byte(i)}
		for _, q := range c.quant {
			table = binary.BigEndian.AppendUint16(table, q)
		}
		out = segment(out, markerDQT, table)
	}
	frame := []byte{8, byte(p.height >> 8), byte(p.height), byte(p.width >> 8), byte(p.width), byte(len(p.parts))}
	if p.twelve {
		frame[0] = 12
	}
	for i, c := range p.parts {
		frame = append(frame, c.id, byte(c.h<<4|c.v), byte(i))
	}
	sof := byte(markerSOF0 + 1)
	if p.progressive {
		sof++
	}
	out = segment(out, sof, frame)
	out = segment(out, markerDRI, []byte{byte(p.restart >> 8), byte(p.restart)})
	for _, passes := range p.script {
		out = p.appendScan(out, passes)
	}
	return append(out, 0xFF, markerEOI)
}

func segment(out []byte, marker byte, content []byte) []byte {
	out = append(out, 0xFF, marker, byte((len(content)+2)>>8), byte(len(content)+2))
	return append(out, content...)
}
