package hevc

import "math/bits"

// angles is table 8-5, intraPredAngle, of modes 2 to 34.
var angles = [35]int8{
	0, 0, 32, 26, 21, 17, 13, 9, 5, 2, 0, -2, -5, -9, -13, -17, -21, -26, -32, -26, -21, -17, -13, -9, -5, -2, 0, 2, 5, 9,
	13, 17, 21, 26, 32,
}

// inverseAngles is table 8-6, -invAngle, of modes 11 to 25.
var inverseAngles = [15]int16{4096, 1638, 910, 630, 482, 390, 315, 256, 315, 390, 482, 630, 910, 1638, 4096}

// zOrder interleaves the bits of two coordinates of blocks of 4 samples in a coding tree block: x of the first.
func zOrder(x, y int) uint16 { return spread[x&15] | spread[y&15]<<1 }

var spread = [16]uint16{0, 1, 4, 5, 16, 17, 20, 21, 64, 65, 68, 69, 80, 81, 84, 85}

// predict predicts the block of 2^log2 samples from x, y of a component on (8.4.4.2).
//
// refs holds the samples around it: those on the left from the lowest up, then the corner at 2·n, then those above
// from the left.
func (d *decoder) predict(comp, x, y, log2, mode int) {
	n := 1 << log2
	d.gather(comp, x, y, n)
	refs := &d.refs
	if (comp == 0 || d.seq.chroma == 3) && mode != modeDC && n != 4 && !d.seq.noIntraSmooth {
		distance := min(abs(mode-modeHorizontal), abs(mode-modeVertical))
		if mode == modePlanar || distance > [6]int{3: 7, 4: 1, 5: 0}[log2] {
			d.smoothRefs(n, comp)
			refs = &d.smooth
		}
	}
	plane := &d.bands[comp]
	pix := plane.pix[d.at(comp, x, y):]
	switch mode {
	case modePlanar:
		planar(pix, plane.stride, refs, log2)
	case modeDC:
		d.average(pix, plane.stride, refs, log2, comp)
	default:
		d.angular(pix, plane.stride, refs, n, mode, comp)
	}
}

func abs(v int) int { return max(v, -v) }

// gather collects the samples around a block, and makes up those that are not available (8.4.4.2.2).
func (d *decoder) gather(comp, x, y, n int) {
	seq := d.seq
	right, down := seq.across(comp), seq.down(comp)
	w, h := seq.width>>right, seq.height>>down
	// Where the block is in its coding tree block, in luma samples, and what it spans there.
	lx, ly := x<<right-d.x, y<<down-d.y
	spanX, spanY := n<<right, n<<down
	ctb := 1 << seq.log2CTB
	here := zOrder(lx>>2, ly>>2)
	hasLeft := lx > 0 || d.near.left
	hasAbove := ly > 0 || d.near.above
	corner := hasLeft && hasAbove
	if lx == 0 && ly == 0 {
		corner = d.near.aboveLeft
	}
	nRight, nBelow := 0, 0
	if hasAbove {
		var ok bool
		switch {
		case ly == 0 && lx+spanX < ctb:
			ok = true
		case ly == 0:
			ok = d.near.aboveRight
		case lx+spanX < ctb:
			ok = zOrder((lx+spanX)>>2, (ly-1)>>2) < here
		}
		if ok {
			nRight = max(0, min(n, w-x-n))
		}
	}
	if hasLeft && ly+spanY < ctb && (lx == 0 || zOrder((lx-1)>>2, (ly+spanY)>>2) < here) {
		nBelow = max(0, min(n, h-y-n))
	}

	plane := &d.bands[comp]
	stride := plane.stride
	refs := &d.refs
	at := d.at(comp, x, y)
	if hasLeft {
		from := refs[2*n-n-nBelow : 2*n]
		p := plane.pix[at-1:]
		i := 0
		for k := len(from) - 1; k >= 0; k-- {
			from[k] = p[i]
			i += stride
		}
	}
	var line []uint16 // above, from the corner on
	if hasAbove || corner {
		if y<<down == d.bandFirst<<seq.log2CTB {
			line = plane.line[max(0, x-1):]
		} else {
			line = plane.pix[at-stride-1:]
		}
		if x == 0 && y<<down == d.bandFirst<<seq.log2CTB {
			copy(refs[2*n+1:], line[:n+nRight])
		} else {
			if corner {
				refs[2*n] = line[0]
			}
			if hasAbove {
				copy(refs[2*n+1:], line[1:1+n+nRight])
			}
		}
	}
	if hasLeft && nBelow == n && corner && hasAbove && nRight == n {
		return
	}
	d.makeUp(n, seq.depthOf(comp), hasLeft, corner, hasAbove, nBelow, nRight)
}

// makeUp gives samples that are not available the value of the next one that is, from the lowest on the left on.
func (d *decoder) makeUp(n, depth int, hasLeft, corner, hasAbove bool, nBelow, nRight int) {
	refs := &d.refs
	fill := func(from, to int, v uint16) {
		for i := from; i < to; i++ {
			refs[i] = v
		}
	}
	if !hasLeft && !corner && !hasAbove {
		fill(0, 4*n+1, 1<<(depth-1))
		return
	}
	known := 0 // the first that is available
	switch {
	case hasLeft:
		known = n - nBelow
	case corner:
		known = 2 * n
	default:
		known = 2*n + 1
	}
	fill(0, known, refs[known])
	if hasLeft && !corner {
		refs[2*n] = refs[2*n-1]
	}
	if !hasAbove {
		fill(2*n+1, 4*n+1, refs[2*n])
		return
	}
	fill(3*n+1+nRight, 4*n+1, refs[3*n+nRight])
}

// smoothRefs filters the samples around a block (8.4.4.2.3).
func (d *decoder) smoothRefs(n, comp int) {
	r, f := &d.refs, &d.smooth
	first, corner, last := int(r[0]), int(r[2*n]), int(r[4*n])
	f[0], f[4*n] = r[0], r[4*n]
	if limit := 1 << (d.seq.depthOf(comp) - 5); d.seq.strongSmooth && comp == 0 && n == 32 &&
		abs(corner+last-2*int(r[3*n])) < limit && abs(corner+first-2*int(r[n])) < limit {
		f[2*n] = r[2*n]
		for i := 1; i < 64; i++ {
			f[i] = uint16(((64-i)*first + i*corner + 32) >> 6)
			f[64+i] = uint16(((64-i)*corner + i*last + 32) >> 6)
		}
		return
	}
	in, out := r[:4*n+1], f[:4*n+1]
	a, b := uint32(in[0]), uint32(in[1])
	for i := 1; i < len(in)-1; i++ {
		c := uint32(in[i+1])
		out[i] = uint16((a + 2*b + c + 2) >> 2)
		a, b = b, c
	}
}

func planar(pix []uint16, stride int, refs *[4*32 + 16]uint16, log2 int) {
	n := 1 << log2
	above := refs[2*n+1:][:n]
	right, below := int32(refs[3*n+1]), int32(refs[n-1])
	for y := range n {
		row := pix[y*stride:][:n]
		left := int32(refs[2*n-1-y])
		// Each step to the right takes away one part of left and adds one of right.
		across := int32(n)*left + int32(n)
		for x := range row {
			across += right - left
			row[x] = uint16((across + int32(n-1-y)*int32(above[x]) + int32(y+1)*below) >> (log2 + 1))
		}
	}
}

func (d *decoder) average(pix []uint16, stride int, refs *[4*32 + 16]uint16, log2, comp int) {
	n := 1 << log2
	sum := n
	for _, v := range refs[n : 2*n] {
		sum += int(v)
	}
	above := refs[2*n+1:][:n]
	for _, v := range above {
		sum += int(v)
	}
	dc := uint16(sum >> (log2 + 1))
	for y := range n {
		row := pix[y*stride:][:n]
		for x := range row {
			row[x] = dc
		}
	}
	if comp > 0 || n == 32 {
		return
	}
	pix[0] = (refs[2*n-1] + 2*dc + above[0] + 2) >> 2
	for i := 1; i < n; i++ {
		pix[i] = (above[i] + 3*dc + 2) >> 2
		pix[i*stride] = (refs[2*n-1-i] + 3*dc + 2) >> 2
	}
}

// angular predicts along an angle (8.4.4.2.6). Modes nearer to horizontal are predicted as if turned.
func (d *decoder) angular(pix []uint16, stride int, refs *[4*32 + 16]uint16, n, mode, comp int) {
	angle := int(angles[mode])
	upright := mode >= 18
	// side[n] is the corner, and what follows the samples that are predicted from, of which there are up to 2·n.
	ref := d.side[:3*n+1]
	count := n // of samples that are used
	if angle > 0 {
		count = 2 * n
	}
	if upright {
		copy(ref[n:], refs[2*n:2*n+count+1])
	} else {
		for i := range count + 1 {
			ref[n+i] = refs[2*n-i]
		}
	}
	if angle < 0 {
		inv := int(inverseAngles[mode-11])
		for i := 1; i <= -(n*angle)>>5; i++ { // from the other side
			k := (i*inv + 128) >> 8
			if upright {
				ref[n-i] = refs[2*n-k]
			} else {
				ref[n-i] = refs[2*n+k]
			}
		}
	}
	out, step := pix, stride
	if !upright {
		out, step = d.turned[:], n
	}
	for y := range n {
		position := (y + 1) * angle
		whole, part := position>>5, uint32(position&31)
		row := out[y*step:][:n]
		from := ref[n+whole+1:]
		if part == 0 {
			copy(row, from)
			continue
		}
		from = from[:n+1]
		a := uint32(from[0])
		for x := range row {
			b := uint32(from[x+1])
			row[x] = uint16(((32-part)*a + part*b + 16) >> 5)
			a = b
		}
	}
	if angle == 0 && comp == 0 && n < 32 && !(d.seq.implicitRDPCM && d.bypass) {
		most := int32(1)<<d.seq.depth[0] - 1
		first, corner := int32(ref[n+1]), int32(refs[2*n])
		for y := range n {
			other := refs[2*n-1-y]
			if !upright {
				other = refs[2*n+1+y]
			}
			out[y*step] = uint16(max(0, min(most, first+(int32(other)-corner)>>1)))
		}
	}
	if !upright {
		turn(pix, stride, &d.turned, bits.TrailingZeros(uint(n)))
	}
}

// turn writes a block whose rows are columns.
func turn(pix []uint16, stride int, block *[32 * 32]uint16, log2 int) {
	n := 1 << log2
	for y := range n {
		row := pix[y*stride:][:n]
		for x := range row {
			row[x] = block[(x<<log2+y)&1023]
		}
	}
}
