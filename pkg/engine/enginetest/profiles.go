package enginetest

import (
	"encoding/binary"
	"image"
	"math"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
)

// TableProfiles returns ICC profiles of look-up tables, each of another kind, by a name that says which.
func TableProfiles() map[string][]byte {
	return map[string][]byte{
		"RGB mft1":     tableProfile(icc.RGB, "Lab ", 2, mft(1, 3, 11, adobeLike)),
		"RGB mft2":     tableProfile(icc.RGB, "Lab ", 2, mft(2, 3, 13, adobeLike)),
		"RGB mAB":      tableProfile(icc.RGB, "Lab ", 4, mab(3, 12, adobeLike)),
		"RGB mAB XYZ":  tableProfile(icc.RGB, "XYZ ", 4, mabMatrix()),
		"CMYK mft1":    tableProfile(icc.CMYK, "Lab ", 2, mft(1, 4, 9, offset)),
		"CMYK mft2":    tableProfile(icc.CMYK, "Lab ", 2, mft(2, 4, 9, offset)),
		"CMYK mAB":     tableProfile(icc.CMYK, "Lab ", 4, mab(4, 9, offset)),
		"gray mft2":    tableProfile(icc.Gray, "Lab ", 2, mft(2, 1, 17, darkPaper)),
		"swapped mft2": tableProfile(icc.RGB, "Lab ", 2, mft(2, 3, 9, swapped)),
	}
}

// Converted converts one colour, of 1, 3 or 4 channels.
func Converted(c *icc.Conversion, in []byte) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	switch len(in) {
	case 4:
		c.Inks(img.Pix, in)
	case 1:
		copy(img.Pix, []byte{in[0], in[0], in[0]})
		c.Image(img)
	default:
		copy(img.Pix, in)
		c.Image(img)
	}
	return img.Pix[:3]
}

func tableProfile(space, connection string, version byte, table []byte) []byte {
	white := binary.BigEndian.AppendUint32([]byte("XYZ \x00\x00\x00\x00"), 0xf6d6)
	white = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(white, 0x10000), 0xd32d)
	b := Profile(space, tag{"A2B0", table}, tag{"wtpt", white})
	b[8] = version
	copy(b[12:], "prtr")
	copy(b[20:], connection)
	copy(b[68:], white[8:])
	return b
}

// paint is what a device makes of values of 0 to 1, L*a*b* under D50.
type paint func(v [4]float64) [3]float64

func adobeLike(v [4]float64) [3]float64 {
	var l [3]float64
	for i := range l {
		l[i] = math.Pow(v[i], 2.2)
	}
	return labOf([3]float64{
		0.60974*l[0] + 0.20528*l[1] + 0.14919*l[2], 0.31111*l[0] + 0.62567*l[1] + 0.06322*l[2],
		0.01947*l[0] + 0.06087*l[1] + 0.74457*l[2],
	})
}

// swapped takes red for green and green for red, so that nobody can miss it.
func swapped(v [4]float64) [3]float64 { return adobeLike([4]float64{v[1], v[0], v[2]}) }

// offset prints inks on paper, none of them perfect: what is darkest is not black.
func offset(v [4]float64) [3]float64 {
	c, m, y, k := v[0], v[1], v[2], 1-0.96*v[3]
	red, green, blue := (1-0.93*c)*(1-0.15*m)*(1-0.02*y)*k, (1-0.35*c)*(1-0.9*m)*(1-0.08*y)*k,
		(1-0.12*c)*(1-0.4*m)*(1-0.92*y)*k
	return labOf([3]float64{
		0.43607*red + 0.38515*green + 0.14307*blue, 0.22249*red + 0.71687*green + 0.06061*blue,
		0.01392*red + 0.09708*green + 0.71410*blue,
	})
}

func darkPaper(v [4]float64) [3]float64 { return [3]float64{5 + 95*math.Pow(v[0], 1.3)} }

func labOf(xyz [3]float64) [3]float64 {
	root := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return 841.0/108*t + 4.0/29
	}
	x, y, z := root(xyz[0]/0.9642), root(xyz[1]), root(xyz[2]/0.8249)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// nodes calls use with each node of a table, the first channel varying slowest.
func nodes(channels, n int, use func(v [4]float64)) {
	count := int(math.Pow(float64(n), float64(channels)) + 0.5)
	for at := range count {
		var v [4]float64
		for i, rest := channels-1, at; i >= 0; i-- {
			v[i] = float64(rest%n) / float64(n-1)
			rest /= n
		}
		use(v)
	}
}

// value appends a fraction in one or two bytes.
func value(b []byte, width int, v float64) []byte {
	if v = min(max(v, 0), 1); width == 1 {
		return append(b, byte(math.Round(v*255)))
	}
	return binary.BigEndian.AppendUint16(b, uint16(math.Round(v*65535)))
}

// mft returns lut8Type or lut16Type, by the bytes of a value, whose input tables are a power and its output straight.
func mft(width, channels, n int, p paint) []byte {
	b := append([]byte("mft1\x00\x00\x00\x00"), byte(channels), 3, byte(n), 0)
	for i := range 9 {
		b = binary.BigEndian.AppendUint32(b, map[bool]uint32{true: 65536}[i%4 == 0])
	}
	in, out, scale := 256, 256, 1.0
	if width == 2 {
		copy(b, "mft2")
		in, out, scale = 64, 2, 65280.0/65535
		b = append(b, 0, byte(in), 0, byte(out))
	}
	for range channels {
		for i := range in {
			b = value(b, width, math.Pow(float64(i)/float64(in-1), 1.1))
		}
	}
	nodes(channels, n, func(v [4]float64) {
		for i := range v {
			v[i] = math.Pow(v[i], 1/1.1)
		}
		lab := p(v)
		for _, x := range [3]float64{lab[0] / 100, (lab[1] + 128) / 255, (lab[2] + 128) / 255} {
			b = value(b, width, x*scale)
		}
	})
	for range 3 {
		for i := range out {
			b = value(b, width, float64(i)/float64(out-1))
		}
	}
	return b
}

// straightCurves are curves that change nothing.
func straightCurves(n int) (b []byte) {
	for range n {
		b = append(b, "curv\x00\x00\x00\x00\x00\x00\x00\x00"...)
	}
	return b
}

// mab returns lutAToBType of a table between curves, those of the device being powers by formula.
func mab(channels, n int, p paint) []byte {
	b := append([]byte("mAB \x00\x00\x00\x00"), byte(channels), 3, 0, 0)
	b = append(b, make([]byte, 20)...)
	offset := func(i int) { binary.BigEndian.PutUint32(b[12+4*i:], uint32(len(b))) }
	offset(0)
	b = append(b, straightCurves(3)...)
	offset(4)
	for range channels {
		b = append(b, "para\x00\x00\x00\x00\x00\x00\x00\x00"...)
		b = binary.BigEndian.AppendUint32(b, 72090) // 1.1
	}
	offset(3)
	for i := range 16 {
		b = append(b, map[bool]byte{true: byte(n)}[i < channels])
	}
	b = append(b, 2, 0, 0, 0)
	nodes(channels, n, func(v [4]float64) {
		for i := range v {
			v[i] = math.Pow(v[i], 1/1.1)
		}
		lab := p(v)
		for _, x := range [3]float64{lab[0] / 100, (lab[1] + 128) / 255, (lab[2] + 128) / 255} {
			b = value(b, 2, x)
		}
	})
	return b
}

// mabMatrix returns lutAToBType of curves and a matrix alone, that of Adobe RGB with a curve of 2.2.
func mabMatrix() []byte {
	b := append([]byte("mAB \x00\x00\x00\x00"), 3, 3, 0, 0)
	b = append(b, make([]byte, 20)...)
	offset := func(i int) { binary.BigEndian.PutUint32(b[12+4*i:], uint32(len(b))) }
	offset(0)
	b = append(b, straightCurves(3)...)
	offset(2)
	for range 3 {
		b = append(b, "curv\x00\x00\x00\x00\x00\x00\x00\x01\x02\x33\x00\x00"...)
	}
	offset(1)
	const most = 1 + 32767.0/32768
	for _, v := range []float64{0.60974, 0.20528, 0.14919, 0.31111, 0.62567, 0.06322, 0.01947, 0.06087, 0.74457, 0, 0, 0} {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(v/most*65536)))
	}
	return b
}
