package vp8

import (
	"encoding/binary"
	"errors"
)

// frame writes what was decided.
func (e *encoder) frame() ([]byte, error) {
	modes := newBoolWriter()
	e.writeHeader(modes)
	e.writeModes(modes)
	first := modes.finish()
	if len(first) > mostFirstPartition {
		return nil, errors.New("vp8: the modes of the picture do not fit into their partition")
	}
	coded := newBoolWriter()
	e.tokens.write(coded, &e.probs)
	second := coded.finish()
	// A key frame of profile 0, which is shown (RFC 6386, section 9.1).
	head := uint32(1<<4 | len(first)<<5)
	out := make([]byte, 0, 10+len(first)+len(second))
	out = append(out, byte(head), byte(head>>8), byte(head>>16), 0x9d, 0x01, 0x2a)
	out = binary.LittleEndian.AppendUint16(out, uint16(e.img.Rect.Dx()))
	out = binary.LittleEndian.AppendUint16(out, uint16(e.img.Rect.Dy()))
	return append(append(out, first...), second...), nil
}

// writeHeader writes what precedes the macroblocks (RFC 6386, sections 9.2 to 9.6 and 9.9 to 9.11).
func (e *encoder) writeHeader(w *boolWriter) {
	w.number(0, 2) // colour space and clamping
	w.flag(e.segmentCount > 1)
	if e.segmentCount > 1 {
		w.flag(e.mapped)
		w.flag(true) // quantizers and filters follow
		w.flag(true) // absolute ones
		for i := range e.segments {
			w.optional(e.segments[i].quantizer, 7)
		}
		for i := range e.segments {
			w.optional(e.segments[i].filter, 6)
		}
		if e.mapped {
			for _, p := range e.segmentTree {
				w.flag(p != 255)
				if p != 255 {
					w.number(int(p), 8)
				}
			}
		}
	}
	w.flag(false) // the normal filter
	w.number(e.filter, 6)
	w.number(0, 3) // sharpness
	w.flag(false)  // no differences of the filter between modes
	w.number(0, 2) // one partition of coefficients
	w.number(e.baseQuantizer, 7)
	for _, delta := range [5]int{0, 0, 0, e.colorDC, e.colorAC} {
		w.optional(delta, 4)
	}
	w.flag(false) // there are no frames that could use the probabilities
	for i := range e.probs {
		for j := range e.probs[i] {
			for k := range e.probs[i][j] {
				for l, p := range e.probs[i][j][k] {
					changed := p != defaultTokenProbs[i][j][k][l]
					w.bit(updateProbs[i][j][k][l], changed)
					if changed {
						w.number(int(p), 8)
					}
				}
			}
		}
	}
	w.flag(false) // macroblocks do not say whether they are empty
}

// writeModes writes how each macroblock is predicted (RFC 6386, section 11).
func (e *encoder) writeModes(w *boolWriter) {
	above := make([][4]mode, e.across)
	for y := range e.down {
		var left [4]mode
		for x := range e.across {
			m := &e.macroblocks[y*e.across+x]
			if e.mapped {
				codeSegment(w, &e.segmentTree, m.segment)
			}
			if m.whole {
				codeWholeMode(w, m.modes[0])
				above[x] = [4]mode{m.modes[0], m.modes[0], m.modes[0], m.modes[0]}
				left = above[x]
			} else {
				w.bit(wholeProb, false)
				for i, mode := range m.modes {
					codeSubMode(w, &subModeProbs[above[x][i&3]][left[i>>2]], mode)
					above[x][i&3], left[i>>2] = mode, mode
				}
			}
			codeColorMode(w, m.color)
		}
	}
}
