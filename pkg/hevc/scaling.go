package hevc

// scalingFactors are what coefficients are multiplied by (7.4.5): [size-2][matrix][y<<size|x], where a matrix is of a
// component of intra blocks, 0 to 2, or of inter blocks, 3 to 5.
type scalingFactors [4][6][]uint8

// defaultIntra is table 7-6 for intra blocks, in the order of the up-right diagonal scan.
var defaultIntra = [64]uint8{
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 17, 16, 17, 16, 17, 18,
	17, 18, 18, 17, 18, 21, 19, 20, 21, 20, 19, 21, 24, 22, 22, 24,
	24, 22, 22, 24, 25, 25, 27, 30, 27, 25, 25, 29, 31, 35, 35, 31,
	29, 36, 41, 44, 41, 36, 47, 54, 54, 47, 65, 70, 65, 88, 88, 115,
}

// defaultInter is the same for inter blocks. Intra blocks may refer to it by no index; it is kept for prediction.
var defaultInter = [64]uint8{
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 17, 17, 17, 17, 17, 18,
	18, 18, 18, 18, 18, 20, 20, 20, 20, 20, 20, 20, 24, 24, 24, 24,
	24, 24, 24, 24, 25, 25, 25, 25, 25, 25, 25, 28, 28, 28, 28, 28,
	28, 33, 33, 33, 33, 33, 41, 41, 41, 41, 54, 54, 54, 71, 71, 91,
}

// scalingList is a list as it is coded.
type scalingList struct {
	values [64]uint8
	dc     uint8
}

func defaultList(size, matrix int) scalingList {
	l := scalingList{dc: 16}
	switch {
	case size == 0:
		for i := range l.values {
			l.values[i] = 16
		}
	case matrix < 3:
		l.values = defaultIntra
	default:
		l.values = defaultInter
	}
	return l
}

func defaultScaling() *scalingFactors {
	var lists [4][6]scalingList
	for size := range lists {
		for m := range lists[size] {
			lists[size][m] = defaultList(size, m)
		}
	}
	return expand(&lists)
}

// parseScaling reads scaling_list_data( ) (7.3.4).
func parseScaling(b *bitReader, chroma int) (*scalingFactors, error) {
	var lists [4][6]scalingList
	for size := range 4 {
		step := 1
		if size == 3 {
			step = 3
		}
		for m := 0; m < 6; m += step {
			l := &lists[size][m]
			if !b.Flag() { // as another list
				delta := b.golomb() * step
				switch {
				case delta > m:
					return nil, corrupt("a scaling list is predicted from none")
				case delta == 0:
					*l = defaultList(size, m)
				default:
					*l = lists[size][m-delta]
				}
				continue
			}
			next := 8
			l.dc = 16
			if size > 1 {
				next = 8 + b.signed()
				l.dc = uint8(next)
			}
			for i := range min(64, 1<<(4+2*size)) {
				next += b.signed() + 256
				l.values[i] = uint8(next)
				next &= 255
			}
		}
	}
	if chroma == 3 { // chroma of 32×32 samples: as of 16×16
		for _, m := range []int{1, 2, 4, 5} {
			lists[3][m] = lists[2][m]
		}
	}
	return expand(&lists), nil
}

// expand lays lists out as matrices.
func expand(lists *[4][6]scalingList) *scalingFactors {
	f := &scalingFactors{}
	for size := range lists {
		n := 4 << size
		for m := range lists[size] {
			l := &lists[size][m]
			out := make([]uint8, n*n)
			for y := range n {
				for x := range n {
					if size == 0 {
						out[y*n+x] = l.values[diagonalPlace(x, y, 4)]
					} else {
						out[y*n+x] = l.values[diagonalPlace(x>>(size-1), y>>(size-1), 8)]
					}
				}
			}
			if size > 1 {
				out[0] = l.dc
			}
			f[size][m] = out
		}
	}
	return f
}

// diagonalPlace returns the place of x, y in the up-right diagonal scan of n×n (6.5.3).
func diagonalPlace(x, y, n int) int {
	d := x + y
	if d < n {
		return d*(d+1)/2 + x
	}
	e := 2*n - 2 - d // the diagonals behind this one
	return n*n - (e+1)*(e+2)/2 + x - (d - n + 1)
}
