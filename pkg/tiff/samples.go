package tiff

import (
	"encoding/binary"
	"math"
)

// unpacker scales stored samples: to 0..255 if they have up to 8 bits, otherwise to 0..65535.
type unpacker struct {
	bits     int
	floating bool
	order    binary.ByteOrder
	raw      bool // palette indices are not scaled
	low, top float64
}

func (p *page) newUnpacker() unpacker {
	u := unpacker{
		bits: p.bits, floating: p.sampleFormat == floating, order: p.order, raw: p.photometric == paletted,
		low: p.float(tagLeast, 0, 0), top: p.float(tagGreatest, 0, 1),
	}
	if p.predictor == 3 {
		u.order = binary.BigEndian
	}
	if !(u.top > u.low) {
		u.low, u.top = 0, 1
	}
	return u
}

// unpack stores the samples of src in every step-th element of dst.
func (u *unpacker) unpack(dst []uint16, src []byte, step int) {
	if u.floating {
		u.unpackFloats(dst, src, step)
		return
	}
	switch u.bits {
	case 8:
		for i := 0; i < len(dst); i += step {
			dst[i] = uint16(src[0])
			src = src[1:]
		}
	case 16:
		for i := 0; i < len(dst); i += step {
			dst[i] = u.order.Uint16(src)
			src = src[2:]
		}
	case 24, 32, 64:
		bytes := u.bits / 8
		heavy := 0 // offset of the two most significant bytes
		if u.order == binary.LittleEndian {
			heavy = bytes - 2
		}
		for i := 0; i < len(dst); i += step {
			dst[i] = u.order.Uint16(src[heavy:])
			src = src[bytes:]
		}
	default:
		u.unpackBits(dst, src, step)
	}
}

// unpackBits reads samples that do not fill whole bytes. The highest bit comes first in either byte order.
func (u *unpacker) unpackBits(dst []uint16, src []byte, step int) {
	bits := uint(u.bits)
	most := uint32(1)<<bits - 1
	top := uint32(255)
	if bits > 8 {
		top = 65535
	}
	acc, have := uint32(0), uint(0)
	for i := 0; i < len(dst); i += step {
		for have < bits {
			acc = acc<<8 | uint32(src[0])
			src = src[1:]
			have += 8
		}
		have -= bits
		v := acc >> have & most
		if !u.raw {
			v = (v*top + most/2) / most
		}
		dst[i] = uint16(v)
	}
}

func (u *unpacker) unpackFloats(dst []uint16, src []byte, step int) {
	bytes := u.bits / 8
	scale := 65535 / (u.top - u.low)
	for i := 0; i < len(dst); i += step {
		v := 0.0
		switch u.bits {
		case 16:
			v = half(u.order.Uint16(src))
		case 24:
			a, b, c := src[0], src[1], src[2]
			if u.order == binary.LittleEndian {
				a, c = c, a
			}
			v = float24(uint32(a)<<16 | uint32(b)<<8 | uint32(c))
		case 32:
			v = float64(math.Float32frombits(u.order.Uint32(src)))
		case 64:
			v = math.Float64frombits(u.order.Uint64(src))
		}
		src = src[bytes:]
		if v = (v - u.low) * scale; v > 0 { // false for NaN
			dst[i] = uint16(min(v, 65535) + 0.5)
		} else {
			dst[i] = 0
		}
	}
}

// half returns a floating-point number of 16 bits: 5 of exponent, 10 of fraction.
func half(v uint16) float64 { return small(uint32(v), 5, 10) }

// float24 returns a floating-point number of 24 bits: 7 of exponent, 16 of fraction.
func float24(v uint32) float64 { return small(v, 7, 16) }

func small(v uint32, exponentBits, fractionBits uint) float64 {
	bias := 1<<(exponentBits-1) - 1
	fraction := float64(v & (1<<fractionBits - 1))
	exponent := int(v >> fractionBits & (1<<exponentBits - 1))
	f := 0.0
	switch exponent {
	case 0:
		f = math.Ldexp(fraction, 1-bias-int(fractionBits))
	case 1<<exponentBits - 1:
		if f = math.Inf(1); fraction != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(fraction+float64(uint32(1)<<fractionBits), exponent-bias-int(fractionBits))
	}
	if v>>(exponentBits+fractionBits)&1 != 0 {
		return -f
	}
	return f
}
