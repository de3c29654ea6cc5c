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

// matrixProfile returns a profile, of version 4, of three primaries (XYZ under D50) and a parametric curve.
//
//	header(128) count:32 { signature:4 offset:32 size:32 } data
func matrixProfile(name string, primaries [3][3]float64, curve []byte) []byte {
	order := binary.BigEndian
	xyz := func(v [3]float64) []byte { return fixed([]byte("XYZ \x00\x00\x00\x00"), v[:]...) }
	text := func(s string) []byte { // one record of 12 bytes: English, as UTF-16, behind the table
		b := append([]byte("mluc\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x0cenUS"), 0, 0, 0, byte(2*len(s)), 0, 0, 0, 28)
		for _, c := range []byte(s) {
			b = append(b, 0, c)
		}
		return b
	}
	adaptation := fixed([]byte("sf32\x00\x00\x00\x00"), // of D65 to D50, by Bradford
		1.04788, 0.02292, -0.05022, 0.02959, 0.99048, -0.01707, -0.00925, 0.01508, 0.75168)
	tags := []struct {
		signature string
		data      []byte
	}{
		{"desc", text(name)}, {"cprt", text("CC0")}, {"wtpt", xyz(d50)}, {"chad", adaptation},
		{"rXYZ", xyz(primaries[0])}, {"gXYZ", xyz(primaries[1])}, {"bXYZ", xyz(primaries[2])},
		{"rTRC", curve}, {"gTRC", nil}, {"bTRC", nil}, // nil: the data of the tag before
	}
	out := make([]byte, 128)
	out[8], out[9] = 4, 0x30
	copy(out[12:], "mntrRGB XYZ ")
	copy(out[24:], []byte{0x07, 0xe2, 0, 1, 0, 1}) // a date has to stand there: 1 January 2018
	copy(out[36:], "acsp")
	fixed(out[:68], d50[:]...)
	out = order.AppendUint32(out, uint32(len(tags)))
	var body []byte
	at, size := 0, 0
	for _, t := range tags {
		if t.data != nil {
			at, size = 132+12*len(tags)+len(body), len(t.data)
			body = append(body, t.data...)
			body = append(body, make([]byte, -len(body)&3)...)
		}
		out = append(out, t.signature...)
		out = order.AppendUint32(out, uint32(at))
		out = order.AppendUint32(out, uint32(size))
	}
	out = append(out, body...)
	order.PutUint32(out, uint32(len(out)))
	return out
}
