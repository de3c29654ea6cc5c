package jpeg

// places tells by scale where in a block's values a coefficient lies, indexed by its position in zigzag order.
// Those that the scale does not need, and positions past the block, go to 0, which is set to the DC coefficient at
// last.
//
// At Quarter the four coefficients are in their natural order. At Half and Full they are in that of the vector
// transforms, which the plain ones share. Rows are interleaved in pairs, so that one instruction multiplies and
// adds two coefficients of a column, and the columns stand so that the same pairs are neighbours in the second
// pass:
//
//	Half: rows 0,2 and 1,3; columns 0 2 1 3      Full: rows 0,4 and 2,6 and 1,7 and 3,5; columns 0 4 2 6 1 7 3 5
//
// ThreeEighths has the order of Half, and the scales above Half have that of Full.
var places = func() (t [9][256]uint8) {
	for k, natural := range zigzag {
		row, col := natural>>3, natural&7
		for scale := Quarter; scale <= Full; scale++ {
			switch {
			case max(row, col) >= uint8(scale):
			case scale > Half:
				t[scale][k] = fullRows[row] + 2*fullColumns[col]
			case scale > Quarter:
				t[scale][k] = halfRows[row] + 2*halfColumns[col]
			default:
				t[scale][k] = row*2 + col
			}
		}
	}
	return t
}()

// kept is how many places a scale has in a block.
func (s Scale) kept() int {
	switch {
	case s > Half:
		return 64
	case s > Quarter:
		return 16
	}
	return int(s * s)
}

var (
	halfRows    = [4]uint8{0, 8, 1, 9} // place of a row's first coefficient
	halfColumns = [4]uint8{0, 2, 1, 3} // place of a column among the pairs, and the column at a place
	fullRows    = [8]uint8{0, 32, 16, 48, 1, 49, 17, 33}
	fullColumns = [8]uint8{0, 4, 2, 6, 1, 7, 3, 5} // column by place
)

// lastNeeded is, by scale, the last position in zigzag order that the scale needs.
var lastNeeded = func() (last [9]uint) {
	for scale := range last {
		for k := range uint(64) {
			if places[scale][k] != 0 {
				last[scale] = k
			}
		}
	}
	return last
}()

// arranged returns a table in zigzag order, a quantization table, as the transform of a scale wants it.
func arranged(zigzagged *[64]uint16, scale Scale) *[64]int16 {
	t := new([64]int16)
	for k, v := range zigzagged {
		if at := places[scale][k]; k == 0 || at != 0 {
			t[at] = int16(v)
		}
	}
	return t
}

// zigzag is the order of coefficients in the stream: 8*row + column.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
