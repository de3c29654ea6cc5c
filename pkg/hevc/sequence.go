package hevc

import "github.com/imagefarm/imagefarm/pkg/raster"

// sequence is a sequence parameter set (7.3.2.2): what the pictures of a stream have in common.
type sequence struct {
	chroma        int  // chroma_format_idc: 0 gray, 1 4:2:0, 2 4:2:2, 3 4:4:4
	separate      bool // separate_colour_plane_flag
	width, height int  // of the coded picture
	left, top     int  // of the shown window
	shownWidth    int
	shownHeight   int
	depth         [2]int // bits of luma and of chroma samples

	log2MinCB, log2CTB   int // coding blocks
	log2MinTB, log2MaxTB int // transform blocks
	maxDepth             int // of the transform tree within a coding block

	scaled  bool // scaling lists are used
	scaling *scalingFactors

	sao           bool
	pcm           bool
	pcmDepth      [2]int
	log2MinPCM    int
	log2MaxPCM    int
	pcmUnfiltered bool // PCM blocks are not deblocked
	strongSmooth  bool // strong_intra_smoothing_enabled_flag

	orderBits     int // of a picture order count
	referenceSets []int
	longTerm      int // long-term references that the set lists
	hasLongTerm   bool
	temporalMVP   bool

	signal Signal

	// Range extension (7.3.2.2.2).
	rotate          bool // transform_skip_rotation_enabled_flag
	skipContext     bool // transform_skip_context_enabled_flag
	implicitRDPCM   bool
	noIntraSmooth   bool // intra_smoothing_disabled_flag
	persistentRices bool // persistent_rice_adaptation_enabled_flag
}

// across and down return the log2 of the luma samples that share a sample of component c.
func (s *sequence) across(c int) int {
	if c > 0 && (s.chroma == 1 || s.chroma == 2) {
		return 1
	}
	return 0
}

func (s *sequence) down(c int) int {
	if c > 0 && s.chroma == 1 {
		return 1
	}
	return 0
}

func (s *sequence) depthOf(c int) int { return s.depth[min(c, 1)] }

func (s *sequence) components() int {
	if s.chroma == 0 {
		return 1
	}
	return 3
}

func corrupt(reason string, args ...any) error { return raster.Corruptf(format, 0, reason, args...) }

func unsupported(feature string, args ...any) error {
	return raster.Unsupportedf(format, feature, args...)
}

var errShortSet = raster.Truncatedf(format, "a parameter set")

// parseSequence reads a set without its two header bytes, unescaped.
func parseSequence(p []byte) (id int, s *sequence, err error) {
	b := newBitReader(p)
	s = &sequence{}
	id, err = s.parse(b)
	if wrong := s.checkFormat(id); wrong != nil {
		return 0, nil, wrong
	}
	if err != nil {
		return 0, nil, err
	}
	if b.Short {
		return 0, nil, errShortSet
	}
	return id, s, s.check()
}

// parse reads the fields, of whatever values. After an error it is not known where the fields behind are; those that
// checkFormat looks at come first.
func (s *sequence) parse(b *bitReader) (id int, err error) {
	s.signal = Signal{Primaries: unspecified, Transfer: unspecified, Matrix: unspecified}
	b.Skip(4)
	layers := b.Number(3)
	b.Skip(1)
	skipProfile(b, layers)
	id = b.golomb()
	s.chroma = b.golomb()
	s.separate = s.chroma == 3 && b.Flag()
	s.width, s.height = b.golomb(), b.golomb()
	s.shownWidth, s.shownHeight = s.width, s.height
	if b.Flag() {
		left, right, top, bottom := b.golomb(), b.golomb(), b.golomb(), b.golomb()
		s.left, s.top = left<<s.across(1), top<<s.down(1)
		s.shownWidth -= (left + right) << s.across(1)
		s.shownHeight -= (top + bottom) << s.down(1)
	}
	s.depth = [2]int{8 + b.golomb(), 8 + b.golomb()}
	s.orderBits = 4 + b.golomb()
	first := layers
	if b.Flag() {
		first = 0
	}
	for range layers - first + 1 {
		b.golomb()
		b.golomb()
		b.golomb()
	}
	s.log2MinCB = 3 + b.golomb()
	s.log2CTB = s.log2MinCB + b.golomb()
	s.log2MinTB = 2 + b.golomb()
	s.log2MaxTB = s.log2MinTB + b.golomb()
	b.golomb() // the depth of inter pictures
	s.maxDepth = b.golomb()
	if s.scaled = b.Flag(); s.scaled {
		if !b.Flag() {
			s.scaling = defaultScaling()
		} else if s.scaling, err = parseScaling(b, s.chroma); err != nil {
			return 0, err
		}
	}
	b.Skip(1) // asymmetric partitions
	s.sao = b.Flag()
	if s.pcm = b.Flag(); s.pcm {
		s.pcmDepth = [2]int{1 + b.Number(4), 1 + b.Number(4)}
		s.log2MinPCM = 3 + b.golomb()
		s.log2MaxPCM = s.log2MinPCM + b.golomb()
		s.pcmUnfiltered = b.Flag()
	}
	if err := s.parseReferences(b); err != nil {
		return 0, err
	}
	s.temporalMVP = b.Flag()
	s.strongSmooth = b.Flag()
	if b.Flag() {
		s.signal.parse(b)
		skipUsability(b, layers)
	}
	return id, s.parseExtensions(b)
}

// parseExtensions reads the range extension, and refuses what is not decoded here.
func (s *sequence) parseExtensions(b *bitReader) error {
	if !b.Flag() {
		return nil
	}
	rangeExtension := b.Flag()
	if b.Number(7) != 0 {
		return unsupported("a sequence of other extensions than the range extension")
	}
	if !rangeExtension {
		return nil
	}
	s.rotate, s.skipContext, s.implicitRDPCM = b.Flag(), b.Flag(), b.Flag()
	b.Skip(1) // explicit RDPCM, which is of inter blocks
	extended := b.Flag()
	s.noIntraSmooth = b.Flag()
	b.Skip(1) // high_precision_offsets_enabled_flag: of weighted prediction
	s.persistentRices = b.Flag()
	if aligned := b.Flag(); extended || aligned {
		return unsupported("extended precision")
	}
	return nil
}

// checkFormat refuses pictures that are not decoded here or cannot be.
func (s *sequence) checkFormat(id int) error {
	switch d := max(s.depth[0], s.depth[1]); {
	case s.separate:
		return unsupported("separate colour planes")
	case id > 15 || s.chroma > 3 || s.width < 1 || s.height < 1 || s.width > maxSide || s.height > maxSide:
		return corrupt("sequence %d of chroma format %d and %d×%d pixels", id, s.chroma, s.width, s.height)
	case s.shownWidth < 1 || s.shownHeight < 1:
		return corrupt("a window of no pixels")
	case d > 12:
		return unsupported("samples of %d bits", d)
	}
	return nil
}

// check refuses sizes that a decoder cannot work with.
func (s *sequence) check() error {
	if s.log2MinCB > 6 || s.log2CTB < 3 || s.log2CTB > 6 || s.log2MinTB >= s.log2MinCB ||
		s.log2MaxTB > min(s.log2CTB, 5) || s.log2MaxTB < s.log2MinTB || s.maxDepth > s.log2CTB-s.log2MinTB {
		return corrupt("coding blocks of 2^%d to 2^%d samples, transform blocks of 2^%d to 2^%d",
			s.log2MinCB, s.log2CTB, s.log2MinTB, s.log2MaxTB)
	}
	if mask := 1<<s.log2MinCB - 1; s.width&mask != 0 || s.height&mask != 0 {
		return corrupt("%d×%d samples are no multiple of the coding block", s.width, s.height)
	}
	if s.log2CTB == 3 {
		return unsupported("coding tree blocks of 8×8 samples")
	}
	if s.orderBits > 16 {
		return corrupt("picture order counts of %d bits", s.orderBits)
	}
	for i, d := range s.depth {
		if s.pcm && s.pcmDepth[i] > d {
			return corrupt("PCM samples of %d bits in a picture of %d", s.pcmDepth[i], d)
		}
	}
	if s.pcm && s.log2MaxPCM > min(s.log2CTB, 5) {
		return corrupt("PCM blocks of 2^%d samples", s.log2MaxPCM)
	}
	return nil
}

// parseReferences reads the sets of reference pictures, which intra pictures do not use, for the place of what follows.
func (s *sequence) parseReferences(b *bitReader) error {
	count := b.golomb()
	if count > 64 {
		return corrupt("%d sets of reference pictures", count)
	}
	for i := range count {
		n, err := skipReferenceSet(b, s.referenceSets, i, count)
		if err != nil {
			return err
		}
		s.referenceSets = append(s.referenceSets, n)
	}
	if s.hasLongTerm = b.Flag(); s.hasLongTerm {
		if s.longTerm = b.golomb(); s.longTerm > 32 {
			return corrupt("%d long-term reference pictures", s.longTerm)
		}
		b.Skip(s.longTerm * (s.orderBits + 1))
	}
	return nil
}

// skipReferenceSet reads set i of count (7.3.7), and returns how many pictures it has. sets are those before. i is
// count for a set in a slice's header.
func skipReferenceSet(b *bitReader, sets []int, i, count int) (int, error) {
	if i > 0 && b.Flag() { // predicted from one before
		from := i - 1
		if i == count {
			from -= b.golomb()
		}
		if from < 0 {
			return 0, corrupt("a set of reference pictures is predicted from none")
		}
		b.Skip(1)
		b.golomb()
		n := 0
		for range sets[from] + 1 {
			if used := b.Flag(); used || b.Flag() {
				n++
			}
		}
		return n, nil
	}
	n := b.golomb() + b.golomb()
	if n > 32 {
		return 0, corrupt("%d reference pictures", n)
	}
	for range n {
		b.golomb()
		b.Skip(1)
	}
	return n, nil
}

// skipProfile reads profile_tier_level( ) (7.3.3).
func skipProfile(b *bitReader, layers int) {
	b.Skip(88 + 8)
	var present [8][2]bool
	for i := range layers {
		present[i] = [2]bool{b.Flag(), b.Flag()}
	}
	if layers > 0 {
		b.Skip(2 * (8 - layers))
	}
	for i := range layers {
		if present[i][0] {
			b.Skip(88)
		}
		if present[i][1] {
			b.Skip(8)
		}
	}
}
