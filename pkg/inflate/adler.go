package inflate

// plainUpdateAdler adds p to an Adler-32 checksum (RFC 1950, 9).
func plainUpdateAdler(sum uint32, p []byte) uint32 {
	const mod = 65521
	a, b := sum&0xffff, sum>>16
	for len(p) > 0 {
		q := p[:min(len(p), 5552)] // as many as b can take without a look
		p = p[len(q):]
		for len(q) >= 4 {
			a += uint32(q[0])
			b += a
			a += uint32(q[1])
			b += a
			a += uint32(q[2])
			b += a
			a += uint32(q[3])
			b += a
			q = q[4:]
		}
		for _, v := range q {
			a += uint32(v)
			b += a
		}
		a %= mod
		b %= mod
	}
	return b<<16 | a
}
