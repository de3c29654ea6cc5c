package vp8l

// predict adds what is predicted of a row to what is coded of it.
func (t *transform) predict(coded []uint32, y int) {
	t.above, t.row = t.row, t.above
	row, above, w := t.row, t.above, t.width
	if y == 0 {
		row[0] = add(coded[0], opaqueBlack)
		addPredicted(left, row, above, coded, 1, w)
		return
	}
	row[0] = add(coded[0], above[0])
	above[w] = row[0] // what is above to the right of the last pixel
	for i, mode := range t.data[y>>t.size*t.across:][:t.across] {
		addPredicted(int(mode>>8&15), row, above, coded, max(i<<t.size, 1), min((i+1)<<t.size, w))
	}
}

const opaqueBlack = 0xff000000

// left is the mode that predicts the pixel to the left.
const left = 1

// modes predict a pixel from those to the left (l), above (t), above to the left (tl) and above to the right (tr).
var modes = [16]func(l, t, tl, tr uint32) uint32{
	0:    func(_, _, _, _ uint32) uint32 { return opaqueBlack },
	left: func(l, _, _, _ uint32) uint32 { return l },
	2:    func(_, t, _, _ uint32) uint32 { return t },
	3:    func(_, _, _, tr uint32) uint32 { return tr },
	4:    func(_, _, tl, _ uint32) uint32 { return tl },
	5:    func(l, t, _, tr uint32) uint32 { return mean(mean(l, tr), t) },
	6:    func(l, _, tl, _ uint32) uint32 { return mean(l, tl) },
	7:    func(l, t, _, _ uint32) uint32 { return mean(l, t) },
	8:    func(_, t, tl, _ uint32) uint32 { return mean(tl, t) },
	9:    func(_, t, _, tr uint32) uint32 { return mean(t, tr) },
	10:   func(l, t, tl, tr uint32) uint32 { return mean(mean(l, tl), mean(t, tr)) },
	11:   func(l, t, tl, _ uint32) uint32 { return nearer(l, t, tl) },
	12:   func(l, t, tl, _ uint32) uint32 { return full(l, t, tl) },
	13:   func(l, t, tl, _ uint32) uint32 { return half(mean(l, t), tl) },
	// The RFC has no more; libwebp takes these for 0.
	14: func(_, _, _, _ uint32) uint32 { return opaqueBlack },
	15: func(_, _, _, _ uint32) uint32 { return opaqueBlack },
}

// plainPredicted adds what a mode predicts to coded pixels, from one of a row to another.
func plainPredicted(mode int, row, above, coded []uint32, from, to int) {
	predict := modes[mode]
	if from >= to {
		return
	}
	l, tl := row[from-1], above[from-1]
	out, coded, above := row[from:to], coded[from:to], above[from:to+1]
	for x, c := range coded {
		t := above[x]
		l = add(c, predict(l, t, tl, above[x+1]))
		out[x], tl = l, t
	}
}

// add adds the samples of two pixels.
func add(a, b uint32) uint32 {
	return (a&0xff00ff00+b&0xff00ff00)&0xff00ff00 | (a&0x00ff00ff+b&0x00ff00ff)&0x00ff00ff
}

// mean returns the means of the samples of two pixels, rounded down.
func mean(a, b uint32) uint32 { return (a^b)&0xfefefefe>>1 + a&b }

// nearer returns the pixel, of two, that is nearer to l + t - tl.
func nearer(l, t, tl uint32) uint32 {
	d := 0
	for i := 0; i < 32; i += 8 {
		a, b, c := int(t>>i&0xff), int(l>>i&0xff), int(tl>>i&0xff)
		d += abs(b-c) - abs(a-c)
	}
	if d <= 0 {
		return t
	}
	return l
}

// full returns l + t - tl, clamped.
func full(l, t, tl uint32) (p uint32) {
	for i := 0; i < 32; i += 8 {
		p |= clamp(int(l>>i&0xff)+int(t>>i&0xff)-int(tl>>i&0xff)) << i
	}
	return p
}

// half returns a + (a-b)/2, clamped.
func half(a, b uint32) (p uint32) {
	for i := 0; i < 32; i += 8 {
		v := int(a >> i & 0xff)
		p |= clamp(v+(v-int(b>>i&0xff))/2) << i
	}
	return p
}

func clamp(v int) uint32 { return uint32(min(max(v, 0), 255)) }

func abs(v int) int { return max(v, -v) }
