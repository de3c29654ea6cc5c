package vp8

// plainAdd transforms a block (RFC 6386, section 14.3), adds it to 4×4 samples, and clears it.
func plainAdd(pix []byte, at, stride int, c *[16]int16) {
	const cosine, sine = 20091, 35468 // √2·cos(π/8) − 1 and √2·sin(π/8), in 16 bits of fraction
	long := func(v int32) int32 { return v + v*cosine>>16 }
	short := func(v int32) int32 { return v * sine >> 16 }
	var mid [16]int32
	for i := range 4 {
		a, b := int32(c[i])+int32(c[8+i]), int32(c[i])-int32(c[8+i])
		d, e := short(int32(c[4+i]))-long(int32(c[12+i])), long(int32(c[4+i]))+short(int32(c[12+i]))
		mid[i], mid[4+i], mid[8+i], mid[12+i] = a+e, b+d, b-d, a-e
	}
	for y := range 4 {
		m := mid[4*y : 4*y+4 : 4*y+4]
		dc := m[0] + 4
		a, b := dc+m[2], dc-m[2]
		d, e := short(m[1])-long(m[3]), long(m[1])+short(m[3])
		row := pix[at+y*stride:][:4]
		row[0] = clamp(int(row[0]) + int((a+e)>>3))
		row[1] = clamp(int(row[1]) + int((b+d)>>3))
		row[2] = clamp(int(row[2]) + int((b-d)>>3))
		row[3] = clamp(int(row[3]) + int((a-e)>>3))
	}
	*c = [16]int16{}
}

// plainAddFour adds four blocks: two to 8×4 samples from at on, the others to as many from second on.
func plainAddFour(pix []byte, at, second, stride int, blocks *[4][16]int16) {
	plainAdd(pix, at, stride, &blocks[0])
	plainAdd(pix, at+4, stride, &blocks[1])
	plainAdd(pix, second, stride, &blocks[2])
	plainAdd(pix, second+4, stride, &blocks[3])
}
