package icc

import (
	"encoding/binary"
	"math"
)

// BT2020 returns a profile of the primaries of BT.2020 with the curve of sRGB.
func BT2020() []byte {
	return matrixProfile("BT.2020 primaries", [3][3]float64{
		{0.67346, 0.27904, -0.00193}, {0.16564, 0.67534, 0.02999}, {0.12505, 0.04562, 0.79686},
	}, curveOfSRGB())
}

// DisplayP3 returns a profile of Display P3.
func DisplayP3() []byte {
	return matrixProfile("Display P3", [3][3]float64{
		{0.51512, 0.24120, -0.00105}, {0.29198, 0.69225, 0.04189}, {0.15710, 0.06657, 0.78407},
	}, curveOfSRGB())
}

// AdobeRGB returns a profile of Adobe RGB (1998).
func AdobeRGB() []byte {
	return matrixProfile("Adobe RGB (1998)", [3][3]float64{
		{0.60974, 0.31111, 0.01947}, {0.20528, 0.62567, 0.06087}, {0.14919, 0.06322, 0.74457},
	}, fixed([]byte("para\x00\x00\x00\x00\x00\x00\x00\x00"), 563.0/256))
}

func curveOfSRGB() []byte {
	return fixed([]byte("para\x00\x00\x00\x00\x00\x03\x00\x00"), 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
}

// fixed appends numbers of 16 bits before and behind the point.
func fixed(b []byte, values ...float64) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
	}
	return b
}

// matrixProfile returns a profile of three primaries (XYZ under D50) and a parametric curve.
//
//	header(128) count:32 { signature:4 offset:32 size:32 } data
func matrixProfile(name string, primaries [3][3]float64, curve []byte) []byte {
	order := binary.BigEndian
	xyz := func(v [3]float64) []byte { return fixed([]byte("XYZ \x00\x00\x00\x00"), v[:]...) }
	text := order.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(name)+1))
	text = append(append(text, name...), make([]byte, 1+4+4+2+1+67)...)
	d50 := [3]float64{0.9642, 1, 0.8249}
	tags := []struct {
		signature string
		data      []byte
	}{
		{"desc", text}, {"cprt", []byte("text\x00\x00\x00\x00No copyright\x00")}, {"wtpt", xyz(d50)},
		{"rXYZ", xyz(primaries[0])}, {"gXYZ", xyz(primaries[1])}, {"bXYZ", xyz(primaries[2])},
		{"rTRC", curve}, {"gTRC", curve}, {"bTRC", curve},
	}
	out := make([]byte, 128)
	out[8], out[9] = 2, 0x10 // version 2.1
	copy(out[12:], "mntrRGB XYZ ")
	copy(out[36:], "acsp")
	fixed(out[:68], d50[:]...)
	out = order.AppendUint32(out, uint32(len(tags)))
	at := len(out) + 12*len(tags)
	var body []byte
	for _, t := range tags {
		out = append(out, t.signature...)
		out = order.AppendUint32(out, uint32(at+len(body)))
		out = order.AppendUint32(out, uint32(len(t.data)))
		body = append(body, t.data...)
		body = append(body, make([]byte, -len(body)&3)...)
	}
	out = append(out, body...)
	order.PutUint32(out, uint32(len(out)))
	return out
}
