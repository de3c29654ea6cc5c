package hevc

// The first context of each syntax element. Contexts of slices of inter blocks are left out.
const (
	ctxSAOMerge         = 0
	ctxSAOType          = 1
	ctxSplitCU          = 2
	ctxBypass           = 5
	ctxPartMode         = 6
	ctxPrevIntra        = 7
	ctxIntraChroma      = 8
	ctxSplitTransform   = 9
	ctxCodedLuma        = 12
	ctxCodedChroma      = 14
	ctxQPDelta          = 19
	ctxTransformSkip    = 21
	ctxLastX            = 23
	ctxLastY            = 41
	ctxCodedSubBlock    = 59
	ctxSignificant      = 63
	ctxGreater1         = 107
	ctxGreater2         = 131
	ctxChromaOffset     = 137
	ctxChromaOffsetSize = 138

	contexts = 256 // a power of two, so that no index needs a check
)

// initValues are those of slices of intra blocks (tables 9-5 to 9-37), in the order of the contexts.
var initValues = [...]uint8{
	153, 200, 139, 141, 157, 154, 184, 184, 63, // up to intra_chroma_pred_mode
	153, 138, 138, // split_transform_flag
	111, 141, 94, 138, 182, 154, 154, // cbf_luma, cbf_cb and cbf_cr
	154, 154, 139, 139, // cu_qp_delta_abs, transform_skip_flag

	110, 110, 124, 125, 140, 153, 125, 127, 140, 109, 111, 143, 127, 111, 79, 108, 123, 63, // last_sig_coeff_x_prefix
	110, 110, 124, 125, 140, 153, 125, 127, 140, 109, 111, 143, 127, 111, 79, 108, 123, 63, // last_sig_coeff_y_prefix

	91, 171, 134, 141, // coded_sub_block_flag

	111, 111, 125, 110, 110, 94, 124, 108, 124, 107, 125, 141, 179, 153, 125, 107, 125, 141, 179, 153, 125, 107, 125,
	141, 179, 153, 125, 140, 139, 182, 182, 152, 136, 152, 136, 153, 136, 139, 111, 136, 139, 111, // sig_coeff_flag
	141, 111, // the same of blocks without transform

	140, 92, 137, 138, 140, 152, 138, 139, 153, 74, 149, 92, 139, 107, 122, 152, 140, 179, 166, 182, 140, 227, 122,
	197, // coeff_abs_level_greater1_flag

	138, 153, 136, 167, 152, 152, // coeff_abs_level_greater2_flag
	154, 154, // cu_chroma_qp_offset_flag, cu_chroma_qp_offset_idx
}

// lowRanges is table 9-52, rangeTabLps, once for each most probable symbol: [pStateIdx<<1|valMps][qRangeIdx].
var lowRanges = makeLowRanges()

// nextStates is table 9-53: what becomes of a state after the more probable symbol, and, from 128 on, after the less
// probable one.
var nextStates = makeNextStates()

func makeLowRanges() (t [512]uint8) {
	for state, row := range [64][4]uint8{
		{128, 176, 208, 240}, {128, 167, 197, 227}, {128, 158, 187, 216}, {123, 150, 178, 205}, {116, 142, 169, 195},
		{111, 135, 160, 185}, {105, 128, 152, 175}, {100, 122, 144, 166}, {95, 116, 137, 158}, {90, 110, 130, 150},
		{85, 104, 123, 142}, {81, 99, 117, 135}, {77, 94, 111, 128}, {73, 89, 105, 122}, {69, 85, 100, 116},
		{66, 80, 95, 110}, {62, 76, 90, 104}, {59, 72, 86, 99}, {56, 69, 81, 94}, {53, 65, 77, 89}, {51, 62, 73, 85},
		{48, 59, 69, 80}, {46, 56, 66, 76}, {43, 53, 63, 72}, {41, 50, 59, 69}, {39, 48, 56, 65}, {37, 45, 54, 62},
		{35, 43, 51, 59}, {33, 41, 48, 56}, {32, 39, 46, 53}, {30, 37, 43, 50}, {29, 35, 41, 48}, {27, 33, 39, 45},
		{26, 31, 37, 43}, {24, 30, 35, 41}, {23, 28, 33, 39}, {22, 27, 32, 37}, {21, 26, 30, 35}, {20, 24, 29, 33},
		{19, 23, 27, 31}, {18, 22, 26, 30}, {17, 21, 25, 28}, {16, 20, 23, 27}, {15, 19, 22, 25}, {14, 18, 21, 24},
		{14, 17, 20, 23}, {13, 16, 19, 22}, {12, 15, 18, 21}, {12, 14, 17, 20}, {11, 14, 16, 19}, {11, 13, 15, 18},
		{10, 12, 15, 17}, {10, 12, 14, 16}, {9, 11, 13, 15}, {9, 11, 12, 14}, {8, 10, 12, 14}, {8, 9, 11, 13},
		{7, 9, 11, 12}, {7, 9, 10, 12}, {7, 8, 10, 11}, {6, 8, 9, 11}, {6, 7, 9, 10}, {6, 7, 8, 9}, {2, 2, 2, 2},
	} {
		copy(t[8*state:], row[:])
		copy(t[8*state+4:], row[:])
	}
	return t
}

func makeNextStates() (t [256]uint8) {
	afterLess := [64]uint8{
		0, 0, 1, 2, 2, 4, 4, 5, 6, 7, 8, 9, 9, 11, 11, 12, 13, 13, 15, 15, 16, 16, 18, 18, 19, 19, 21, 21, 22, 22, 23, 24,
		24, 25, 26, 26, 27, 27, 28, 29, 29, 30, 30, 30, 31, 32, 32, 33, 33, 33, 34, 34, 35, 35, 35, 36, 36, 36, 37, 37, 37,
		38, 38, 63,
	}
	for state := range 64 {
		for symbol := range 2 {
			i := state<<1 | symbol
			t[i] = uint8(min(state+1, 62)<<1 | symbol)
			if state == 63 {
				t[i] = uint8(i)
			}
			less := symbol
			if state == 0 {
				less = 1 - symbol
			}
			t[128|i] = afterLess[state]<<1 | uint8(less)
		}
	}
	return t
}
