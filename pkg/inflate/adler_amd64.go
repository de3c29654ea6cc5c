//go:build !purego

package inflate

import "golang.org/x/sys/cpu"

func updateAdler(sum uint32, p []byte) uint32 {
	const mod = 65521
	for cpu.X86.HasAVX2 && len(p) >= 32 {
		q := p[:min(len(p), 5536)&^31]
		a, b := adlerAVX2(sum&0xffff, sum>>16, &q[0], len(q))
		sum = b%mod<<16 | a%mod
		p = p[len(q):]
	}
	return plainUpdateAdler(sum, p)
}

// adlerAVX2 adds size bytes, a multiple of 32 of at most 5536, to the two halves of a checksum, without the modulus.
//
//go:noescape
func adlerAVX2(a, b uint32, p *byte, size int) (a2, b2 uint32)
