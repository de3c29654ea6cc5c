//go:build !purego

package hevc

import "golang.org/x/sys/cpu"

// vectors tells whether the processor has what the assembly needs.
var vectors = cpu.X86.HasAVX2

// pairs are the factors of a transform of n samples as the assembly multiplies them: two at a time, of coefficients k
// and k+2.
type pairs struct {
	columns []uint32 // [sample < n/2][k/4]{ k and k+2, k+1 and k+3 }
	rows    []uint32 // [k/4]{ [sample < n/2] k and k+2, [sample < n/2] k+1 and k+3 }
}

// pairsOf are those of 8, 16 and 32 samples.
var pairsOf = [3]pairs{makePairs(8), makePairs(16), makePairs(32)}

func makePairs(n int) pairs {
	pair := func(k, sample int) uint32 {
		step := 32 / n
		return uint32(uint16(cosines[k*step][sample])) | uint32(uint16(cosines[(k+2)*step][sample]))<<16
	}
	var p pairs
	for sample := range n / 2 {
		for k := 0; k < n; k += 4 {
			p.columns = append(p.columns, pair(k, sample), pair(k+1, sample))
		}
	}
	for k := 0; k < n; k += 4 {
		for odd := range 2 {
			for sample := range n / 2 {
				p.rows = append(p.rows, pair(k+odd, sample))
			}
		}
	}
	return p
}

// cosineAdd transforms n×n coefficients, of which those behind column usedX and row usedY are 0, and adds them to the
// samples from pix[at] on. temporary is memory of as many.
func cosineAdd(p, temporary []int16, pix []uint16, at, stride, log2, depth, usedX, usedY int) {
	n := 1 << log2
	if !vectors || log2 < 3 {
		plainCosineAdd(p, pix[at:], stride, log2, depth, usedX, usedY)
		return
	}
	_, _, _ = p[n*n-1], temporary[n*n-1], pix[at+(n-1)*stride+n-1]
	t := &pairsOf[log2-3]
	columnsAVX2(&p[0], &temporary[0], &t.columns[0], n, usedX>>3+1, usedY>>2+1)
	rows := rows8AVX2
	switch log2 {
	case 4:
		rows = rows16AVX2
	case 5:
		rows = rows32AVX2
	}
	rows(&temporary[0], &pix[at], stride, &t.rows[0], usedX>>2+1, 20-depth, 1<<depth-1)
}

//go:noescape
func columnsAVX2(p, out *int16, table *uint32, n, groups, quads int)

//go:noescape
func rows8AVX2(p *int16, dst *uint16, stride int, table *uint32, quads, shift, most int)

//go:noescape
func rows16AVX2(p *int16, dst *uint16, stride int, table *uint32, quads, shift, most int)

//go:noescape
func rows32AVX2(p *int16, dst *uint16, stride int, table *uint32, quads, shift, most int)

// narrow stores samples of 8+shift bits as of 8.
func narrow(out []byte, row []uint16, shift int) {
	row = row[:len(out)]
	if n := len(out) &^ 31; vectors && n > 0 {
		narrowAVX2(&out[0], &row[0], n, shift)
		out, row = out[n:], row[n:]
	}
	plainNarrow(out, row, shift)
}

//go:noescape
func narrowAVX2(out *byte, row *uint16, n, shift int)
