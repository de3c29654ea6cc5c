package hevc

// parameters is a picture parameter set (7.3.2.3).
type parameters struct {
	sequence int // its id

	dependentSlices   bool
	outputFlag        bool
	extraBits         int // of a slice's header
	hideSigns         bool
	qp                int // of slices, before their difference
	transformSkip     bool
	qpDelta           bool
	qpDeltaDepth      int // diff_cu_qp_delta_depth
	chromaQP          [2]int
	sliceChromaQP     bool
	bypass            bool // blocks may be coded without loss
	tiles             bool
	columns, rows     int
	uniform           bool
	columnWidths      []int // all but the last, if not uniform
	rowHeights        []int
	wavefronts        bool // entropy_coding_sync_enabled_flag
	loopAcrossTiles   bool
	loopAcrossSlices  bool
	deblockOverride   bool
	noDeblock         bool
	beta, tc          int // offsets, halved
	scaled            bool
	scaling           *scalingFactors
	extendedHeader    bool // slice_segment_header_extension_present_flag
	log2MaxSkip       int  // the largest block without transform
	chromaQPLists     bool
	chromaQPDepth     int
	chromaQPOffsets   [][2]int
	saoShift          [2]int // log2_sao_offset_scale
	crossComponent    bool
	listsModification bool
}

// parseParameters reads a set without its two header bytes, unescaped. chroma tells the chroma format of a sequence.
func parseParameters(p []byte, sequences *[16]*sequence) (id int, s *parameters, err error) {
	b := newBitReader(p)
	s = &parameters{columns: 1, rows: 1, uniform: true, loopAcrossTiles: true, log2MaxSkip: 2}
	id = b.golomb()
	s.sequence = b.golomb()
	if id > 63 || s.sequence > 15 || sequences[s.sequence] == nil {
		return 0, nil, corrupt("picture parameters %d of sequence %d, which is missing", id, s.sequence)
	}
	seq := sequences[s.sequence]
	s.dependentSlices, s.outputFlag = b.Flag(), b.Flag()
	s.extraBits = b.Number(3)
	s.hideSigns = b.Flag()
	b.Skip(1) // cabac_init_present_flag
	b.golomb()
	b.golomb()
	s.qp = 26 + b.signed()
	b.Skip(1) // constrained_intra_pred_flag: all blocks are intra
	s.transformSkip = b.Flag()
	if s.qpDelta = b.Flag(); s.qpDelta {
		s.qpDeltaDepth = b.golomb()
	}
	s.chromaQP = [2]int{b.signed(), b.signed()}
	s.sliceChromaQP = b.Flag()
	b.Skip(2) // weighted prediction
	s.bypass = b.Flag()
	s.tiles = b.Flag()
	s.wavefronts = b.Flag()
	if s.tiles {
		if err := s.parseTiles(b, seq); err != nil {
			return 0, nil, err
		}
	}
	s.loopAcrossSlices = b.Flag()
	if b.Flag() {
		s.deblockOverride = b.Flag()
		if s.noDeblock = b.Flag(); !s.noDeblock {
			s.beta, s.tc = b.signed(), b.signed()
		}
	}
	if s.scaled = b.Flag(); s.scaled {
		if s.scaling, err = parseScaling(b, seq.chroma); err != nil {
			return 0, nil, err
		}
	}
	s.listsModification = b.Flag()
	b.golomb() // the level of parallel merging
	s.extendedHeader = b.Flag()
	if err := s.parseExtensions(b, seq); err != nil {
		return 0, nil, err
	}
	if b.Short {
		return 0, nil, errShortSet
	}
	if s.qpDeltaDepth > seq.log2CTB-seq.log2MinCB || s.chromaQPDepth > seq.log2CTB-seq.log2MinCB ||
		max(s.beta, -s.beta, s.tc, -s.tc) > 6 || max(s.chromaQP[0], s.chromaQP[1]) > 12 ||
		min(s.chromaQP[0], s.chromaQP[1]) < -12 || s.log2MaxSkip > seq.log2MaxTB && s.log2MaxSkip > 2 {
		return 0, nil, corrupt("picture parameters outside of their range")
	}
	return id, s, nil
}

func (s *parameters) parseTiles(b *bitReader, seq *sequence) error {
	s.columns, s.rows = 1+b.golomb(), 1+b.golomb()
	mask := 1<<seq.log2CTB - 1
	across, down := (seq.width+mask)>>seq.log2CTB, (seq.height+mask)>>seq.log2CTB
	if s.columns > across || s.rows > down {
		return corrupt("%d×%d tiles of %d×%d coding tree blocks", s.columns, s.rows, across, down)
	}
	if s.uniform = b.Flag(); !s.uniform {
		sum := 0
		for range s.columns - 1 {
			s.columnWidths = append(s.columnWidths, 1+b.golomb())
			sum += s.columnWidths[len(s.columnWidths)-1]
		}
		if sum >= across {
			return corrupt("tiles wider than the picture")
		}
		sum = 0
		for range s.rows - 1 {
			s.rowHeights = append(s.rowHeights, 1+b.golomb())
			sum += s.rowHeights[len(s.rowHeights)-1]
		}
		if sum >= down {
			return corrupt("tiles higher than the picture")
		}
	}
	s.loopAcrossTiles = b.Flag()
	return nil
}

// parseExtensions reads the range extension (7.3.2.3.2), and refuses what is not decoded here.
func (s *parameters) parseExtensions(b *bitReader, seq *sequence) error {
	if !b.Flag() {
		return nil
	}
	rangeExtension := b.Flag()
	if b.Number(7) != 0 {
		return unsupported("picture parameters of other extensions than the range extension")
	}
	if !rangeExtension {
		return nil
	}
	if s.transformSkip {
		s.log2MaxSkip = 2 + b.golomb()
	}
	s.crossComponent = b.Flag()
	if s.chromaQPLists = b.Flag(); s.chromaQPLists {
		s.chromaQPDepth = b.golomb()
		count := 1 + b.golomb()
		if count > 6 {
			return corrupt("%d offsets of chroma", count)
		}
		for range count {
			s.chromaQPOffsets = append(s.chromaQPOffsets, [2]int{b.signed(), b.signed()})
		}
	}
	s.saoShift = [2]int{b.golomb(), b.golomb()}
	if max(s.saoShift[0], s.saoShift[1]) > 2 {
		return corrupt("offsets of samples shifted by %d and %d bits", s.saoShift[0], s.saoShift[1])
	}
	switch {
	case s.crossComponent:
		return unsupported("prediction across components")
	case s.chromaQPLists:
		return unsupported("offsets of chroma's quantizers for each unit")
	case s.log2MaxSkip > 2 && seq.scaled:
		return unsupported("scaling lists beside large blocks without transform")
	}
	return nil
}

// starts returns the first coding tree blocks of tiles along a side of n blocks, and n behind them (6.5.1).
func starts(tiles, n int, uniform bool, sizes []int) []int {
	list := make([]int, tiles+1)
	for i := range tiles {
		switch {
		case uniform:
			list[i+1] = (i + 1) * n / tiles
		case i < tiles-1:
			list[i+1] = list[i] + sizes[i]
		default:
			list[i+1] = n
		}
	}
	return list
}
