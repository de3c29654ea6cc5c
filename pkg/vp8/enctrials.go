package vp8

// blockTrials is what becomes of a 4×4 block of luma in each mode.
type blockTrials struct {
	predicted [subModes][16]byte
	built     [subModes][16]byte  // the reconstruction
	levels    [subModes][16]int16 // in zigzag order
	errors    [subModes]blockErrors
	coded     [subModes]uint16 // a bit for each level other than 0
}

// blockErrors is how far a reconstruction is from its source.
type blockErrors struct {
	squared  int32 // as of sse4x4
	spectral int32 // as of spectralDistortion4x4
}

// plainTry tries all modes for the 4×4 samples of src. around are the samples around the block, clockwise: those to the
// left from below, the first of them twice, the corner, and the eight above, the last of them twice.
func plainTry(src []byte, around *[16]byte, m *quantMatrix, w *[16]uint16, t *blockTrials) {
	const at = encStride + 1
	var ref, built [5 * encStride]byte
	copy(ref[:], around[5:])
	for y := range 4 {
		ref[(y+1)*encStride] = around[4-y]
	}
	for i := range t.levels {
		var c [16]int16
		predict4(ref[:], at, encStride, mode(i))
		plainForward(src, ref[at:], &c)
		plainQuantize(&c, &t.levels[i], m)
		plainInverseAdd(ref[at:], &c, built[at:])
		t.errors[i] = blockErrors{
			int32(plainSSE(src, built[at:], 4, 4)), int32(plainSpectral4x4(src, built[at:], w)),
		}
		for y := range 4 {
			copy(t.predicted[i][4*y:], ref[at+y*encStride:][:4])
			copy(t.built[i][4*y:], built[at+y*encStride:][:4])
		}
		t.coded[i] = 0
		for n, v := range t.levels[i] {
			if v != 0 {
				t.coded[i] |= 1 << n
			}
		}
	}
}
