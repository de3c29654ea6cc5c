package vp8

// Analysis finds out how easily each macroblock is compressed: its alpha, 0 (hard) to 255. Macroblocks of similar alpha
// become segments (libwebp, src/enc/analysis_enc.c).

const highestAlpha = 255

// analyze finds the alpha of each macroblock and assigns segments.
func (e *encoder) analyze() {
	var histogram [highestAlpha + 1]int
	sum := 0
	for y := range e.down {
		for x := range e.across {
			e.load(x, y)
			e.borderFromSource(x, y)
			e.predictWhole()
			luma := e.susceptibility(0, predicted16, 4)
			e.predictColor()
			color := e.susceptibility(colorOffset, predicted8, 2)
			sum += color
			alpha := min(max(highestAlpha-(3*luma+color+2)>>2, 0), highestAlpha)
			e.macroblocks[y*e.across+x].alpha = uint8(alpha)
			histogram[alpha]++
		}
	}
	e.colorAlpha = sum / len(e.macroblocks)
	e.assignSegments(&histogram)
}

// susceptibility returns how much of a macroblock the better of two predictions, by the mean and by gradients, leaves
// in a few large coefficients: rows of 4×4 blocks of luma or colour, at a place of the source.
func (e *encoder) susceptibility(at int, predictions [4]int, rows int) int {
	best := 0
	for _, prediction := range predictions[:2] {
		if most, last := coefficientSpread(e.src[at:], e.pred[prediction:], rows); most > 1 {
			best = max(best, 2*highestAlpha*last/most)
		}
	}
	return best
}

// assignSegments groups macroblocks by their alpha: a simple form of k-means.
func (e *encoder) assignSegments(histogram *[highestAlpha + 1]int) {
	low, high := 0, highestAlpha
	for low < highestAlpha && histogram[low] == 0 {
		low++
	}
	for high > low && histogram[high] == 0 {
		high--
	}
	var centers [segments]int
	for i := range centers {
		centers[i] = low + (2*i+1)*(high-low)/(2*segments)
	}
	var to [highestAlpha + 1]uint8
	mean := 0
	for range 6 {
		var count, sum [segments]int
		n := 0
		for a := low; a <= high; a++ {
			if histogram[a] == 0 {
				continue
			}
			for n+1 < segments && distance(a, centers[n+1]) < distance(a, centers[n]) {
				n++
			}
			to[a] = uint8(n)
			sum[n] += a * histogram[a]
			count[n] += histogram[a]
		}
		moved, total := 0, 0
		mean = 0
		for i := range centers {
			if count[i] == 0 {
				continue
			}
			center := (sum[i] + count[i]/2) / count[i]
			moved += distance(center, centers[i])
			centers[i] = center
			mean += center * count[i]
			total += count[i]
		}
		mean = (mean + total/2) / total
		if moved < 5 {
			break
		}
	}
	for i := range e.macroblocks {
		e.macroblocks[i].segment = to[e.macroblocks[i].alpha]
	}
	lowest, highest := centers[0], centers[0]
	for _, c := range centers {
		lowest, highest = min(lowest, c), max(highest, c)
	}
	spread := max(highest-lowest, 1)
	for i, c := range centers {
		e.segments[i].alpha = min(max(255*(c-mean)/spread, -127), 127)
		e.segments[i].beta = min(max(255*(c-lowest)/spread, 0), 255)
	}
	e.segmentCount = segments
}

func distance(a, b int) int { return max(a-b, b-a) }

// setSegmentTree sets the probabilities of the tree of segments. Without a use for it the macroblocks do not say to
// which segment they belong.
func (e *encoder) setSegmentTree() {
	var n [segments]int
	for i := range e.macroblocks {
		n[e.macroblocks[i].segment]++
	}
	if e.segmentCount == 1 {
		return
	}
	share := func(a, b int) uint8 {
		if a+b == 0 {
			return 255
		}
		return uint8((255*a + (a+b)/2) / (a + b))
	}
	e.segmentTree = [segments - 1]uint8{share(n[0]+n[1], n[2]+n[3]), share(n[0], n[1]), share(n[2], n[3])}
	if e.mapped = e.segmentTree != [segments - 1]uint8{255, 255, 255}; !e.mapped {
		for i := range e.macroblocks {
			e.macroblocks[i].segment = 0
		}
		return
	}
	for s, n := range n {
		var c bitCounter
		codeSegment(&c, &e.segmentTree, uint8(s))
		e.mapCost += int64(n) * int64(c)
	}
}

// codeSegment codes to which segment a macroblock belongs.
func codeSegment(c modeCoder, tree *[segments - 1]uint8, segment uint8) {
	c.bit(tree[0], segment >= 2)
	c.bit(tree[1+segment>>1], segment&1 == 1)
}
