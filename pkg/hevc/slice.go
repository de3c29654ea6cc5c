package hevc

import "github.com/imagefarm/imagefarm/pkg/raster"

// Kinds of units (7.4.2.2).
const (
	unitCRA      = 21
	unitIDRFirst = 19
	unitIDRLast  = 20
	unitVPS      = 32
	unitSPS      = 33
	unitPPS      = 34
)

// slice is what a slice segment's header says (7.3.6).
type slice struct {
	first     bool // of the picture
	dependent bool // what follows is that of the slice before
	address   int  // of the segment's first coding tree block, in raster order
	start     int  // of the slice's first segment: SliceAddrRs

	sao          [2]bool
	qp           int
	chromaQP     [2]int
	chromaOffset bool // cu_chroma_qp_offset_enabled_flag
	deblock      bool
	beta, tc     int  // offsets, halved
	across       bool // slice_loop_filter_across_slices_enabled_flag
}

// parseSlice reads the header of a segment without the unit's two bytes. before is the last slice of the picture, whose
// values a dependent segment takes. data is what follows the header, still unescaped.
func (d *decoder) parseSlice(kind int, p []byte, before *slice) (s *slice, data []byte, err error) {
	b := newBitReader(p)
	first := b.Flag()
	if kind >= 16 && kind <= 23 {
		b.Skip(1) // no_output_of_prior_pics_flag
	}
	id := b.golomb()
	if id > 63 || d.sets.pictures[id] == nil {
		return nil, nil, corrupt("a slice of the picture parameters %d, which are missing", id)
	}
	if first {
		if err := d.activate(id); err != nil {
			return nil, nil, err
		}
	} else if before == nil || d.pic != d.sets.pictures[id] {
		return nil, nil, corrupt("the first slice of the picture is missing")
	}
	seq, pic := d.seq, d.pic
	s = &slice{first: first}
	if !first {
		if pic.dependentSlices {
			s.dependent = b.Flag()
		}
		s.address = b.Number(bitsFor(d.across * d.down))
		if s.address >= d.across*d.down {
			return nil, nil, corrupt("a slice begins at coding tree block %d of %d", s.address, d.across*d.down)
		}
	}
	if s.dependent {
		own := *before
		own.first, own.dependent, own.address = false, true, s.address
		s = &own
	} else if err := s.parseIndependent(b, kind, seq, pic); err != nil {
		return nil, nil, err
	}
	if pic.tiles || pic.wavefronts {
		// Where the parts begin also follows from where the ones before end.
		if count := b.golomb(); count > 0 {
			if count > d.across*d.down {
				return nil, nil, corrupt("%d parts of a slice", count)
			}
			size := 1 + b.golomb()
			if size > 32 {
				return nil, nil, corrupt("offsets of %d bits", size)
			}
			b.Skip(count * size)
		}
	}
	if pic.extendedHeader {
		b.Skip(8 * b.golomb())
	}
	b.Skip(1)
	b.Align()
	if b.Short {
		return nil, nil, raster.Truncatedf(format, "the header of a slice")
	}
	return s, p[b.At/8:], nil
}

func (s *slice) parseIndependent(b *bitReader, kind int, seq *sequence, pic *parameters) error {
	s.start = s.address
	b.Skip(pic.extraBits)
	if t := b.golomb(); t != 2 && !b.Short {
		return unsupported("slices that are predicted from other pictures")
	}
	if pic.outputFlag {
		b.Skip(1)
	}
	if kind != unitIDRFirst && kind != unitIDRLast {
		if err := skipReferences(b, seq); err != nil {
			return err
		}
	}
	if seq.sao {
		s.sao[0] = b.Flag()
		if seq.chroma != 0 {
			s.sao[1] = b.Flag()
		}
	}
	s.qp = pic.qp + b.signed()
	s.chromaQP = pic.chromaQP
	if pic.sliceChromaQP {
		s.chromaQP[0] += b.signed()
		s.chromaQP[1] += b.signed()
	}
	if pic.chromaQPLists {
		s.chromaOffset = b.Flag()
	}
	s.deblock, s.beta, s.tc = !pic.noDeblock, pic.beta, pic.tc
	if pic.deblockOverride && b.Flag() {
		if s.deblock = !b.Flag(); s.deblock {
			s.beta, s.tc = b.signed(), b.signed()
		}
	}
	s.across = pic.loopAcrossSlices
	if pic.loopAcrossSlices && (s.sao[0] || s.sao[1] || s.deblock) {
		s.across = b.Flag()
	}
	if s.qp < -6*(seq.depth[0]-8) || s.qp > 51 || max(s.chromaQP[0], s.chromaQP[1]) > 12 ||
		min(s.chromaQP[0], s.chromaQP[1]) < -12 || max(s.beta, -s.beta, s.tc, -s.tc) > 6 {
		return corrupt("a slice's quantizer %d, of chroma %v", s.qp, s.chromaQP)
	}
	return nil
}

// skipReferences reads which pictures were decoded before. Slices of intra blocks do not use them.
func skipReferences(b *bitReader, seq *sequence) error {
	b.Skip(seq.orderBits)
	if !b.Flag() {
		if _, err := skipReferenceSet(b, seq.referenceSets, len(seq.referenceSets), len(seq.referenceSets)); err != nil {
			return err
		}
	} else if n := len(seq.referenceSets); n > 1 {
		b.Skip(bitsFor(n))
	}
	if seq.hasLongTerm {
		listed := 0
		if seq.longTerm > 0 {
			listed = b.golomb()
		}
		count := listed + b.golomb()
		if count > 33 {
			return corrupt("%d long-term reference pictures", count)
		}
		for i := range count {
			if i < listed {
				if seq.longTerm > 1 {
					b.Skip(bitsFor(seq.longTerm))
				}
			} else {
				b.Skip(seq.orderBits + 1)
			}
			if b.Flag() {
				b.golomb()
			}
		}
	}
	if seq.temporalMVP {
		b.Skip(1)
	}
	return nil
}

// bitsFor returns Ceil(Log2(n)).
func bitsFor(n int) int {
	bits := 0
	for 1<<bits < n {
		bits++
	}
	return bits
}
