package hevc

// Orders of coefficients (6.5.3 to 6.5.5).
const (
	diagonal = iota
	horizontal
	vertical
)

// place is where something is in a block.
type place struct{ x, y uint8 }

// scanOrders are the places of 2^n×2^n things for n up to 3: [n][order].
var scanOrders = makeScanOrders()

func makeScanOrders() (t [4][3][64]place) {
	for log2 := range t {
		n := 1 << log2
		for y := range n {
			for x := range n {
				p := place{uint8(x), uint8(y)}
				t[log2][diagonal][diagonalPlace(x, y, n)] = p
				t[log2][horizontal][y*n+x] = p
				t[log2][vertical][x*n+y] = p
			}
		}
	}
	return t
}

// significance is the context of sig_coeff_flag, but for what is the same in a whole group of 4×4 coefficients
// (9.3.4.2.5).
type significance struct {
	small  [3][16]uint8    // of a block of 4×4: [order][n]
	groups [3][4][16]uint8 // of others: [order][groups coded on the right: 1, below: 2][n]
}

var significances = makeSignificances()

func makeSignificances() (t significance) {
	small := [16]uint8{0, 1, 4, 5, 2, 3, 4, 5, 6, 6, 8, 8, 7, 7, 8, 8}
	for order := range t.small {
		for n := range 16 {
			p := scanOrders[2][order][n]
			t.small[order][n] = small[p.y<<2|p.x]
			t.groups[order][0][n] = [7]uint8{2, 1, 1, 0, 0, 0, 0}[p.x+p.y]
			t.groups[order][1][n] = [4]uint8{2, 1, 0, 0}[p.y]
			t.groups[order][2][n] = [4]uint8{2, 1, 0, 0}[p.x]
			t.groups[order][3][n] = 2
		}
	}
	return t
}

// scanOf returns the order of a block's coefficients (7.4.9.11).
func (d *decoder) scanOf(comp, log2, mode int) int {
	if log2 == 2 || log2 == 3 && (comp == 0 || d.seq.chroma == 3) {
		switch {
		case mode >= 6 && mode <= 14:
			return vertical
		case mode >= 22 && mode <= 30:
			return horizontal
		}
	}
	return diagonal
}
