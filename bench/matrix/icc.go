package main

import (
	"encoding/binary"
	"math"
)

// profile returns an ICC profile of three primaries (columns of the matrix to XYZ under D50) and one tone curve, as
// cameras and phones embed them.
func profile(primaries [3][3]float64, curve []byte) []byte {
	xyz := func(v [3]float64) []byte {
		b := append([]byte("XYZ "), 0, 0, 0, 0)
		for _, x := range v {
			b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(x*65536))))
		}
		return b
	}
	text := append([]byte("desc\x00\x00\x00\x00\x00\x00\x00\x06bench\x00"), make([]byte, 78)...)
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", text}, {"cprt", []byte("text\x00\x00\x00\x00none\x00")}, {"wtpt", xyz([3]float64{0.9642, 1, 0.8249})},
		{"rXYZ", xyz(primaries[0])}, {"gXYZ", xyz(primaries[1])}, {"bXYZ", xyz(primaries[2])},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	head := make([]byte, 128)
	copy(head[8:], "\x02\x40\x00\x00mntrRGB XYZ ")
	copy(head[36:], "acsp")
	binary.BigEndian.PutUint32(head[68:], uint32(math.Round(0.9642*65536)))
	binary.BigEndian.PutUint32(head[72:], 65536)
	binary.BigEndian.PutUint32(head[76:], uint32(math.Round(0.8249*65536)))
	table := binary.BigEndian.AppendUint32(nil, uint32(len(tags)))
	var body []byte
	at := len(head) + 4 + 12*len(tags)
	for _, t := range tags {
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(at+len(body)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
		body = append(body, t.data...)
	}
	all := append(append(head, table...), body...)
	binary.BigEndian.PutUint32(all, uint32(len(all)))
	return all
}

// gamma is a tone curve that is a power, in 1/256.
func gamma(g uint16) []byte {
	return binary.BigEndian.AppendUint16([]byte("curv\x00\x00\x00\x00\x00\x00\x00\x01"), g)
}

// srgbCurve is sRGB's tone curve as a table.
func srgbCurve() []byte {
	const n = 1024
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), n)
	for i := range n {
		x := float64(i) / (n - 1)
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(x*65535)))
	}
	return b
}

func displayP3() []byte {
	return profile([3][3]float64{{0.51512, 0.24120, -0.00105}, {0.29198, 0.69225, 0.04189}, {0.15710, 0.06657, 0.78407}},
		srgbCurve())
}

func adobeRGB() []byte {
	return profile([3][3]float64{{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457}},
		gamma(563))
}
