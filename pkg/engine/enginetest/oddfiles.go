package enginetest

import (
	"encoding/binary"
	"image"
	"image/color"
	"testing"
)

// testOddFiles reads files that other decoders read wrong without a word, or refuse.
func testOddFiles(t *testing.T, s Suite) {
	img := Photo(64, 48)
	black, white := color.NRGBA{0, 0, 0, 255}, color.NRGBA{255, 255, 255, 255}
	sky := color.NRGBA{9, 99, 199, 255}
	onSmallScreen := GIF(64, 48, Flat(img.Rect, sky))
	copy(onSmallScreen[6:], "\x01\x00\x01\x00")
	noScreen := GIF(64, 48, Flat(img.Rect, sky))
	copy(noScreen[6:], "\x00\x00\x00\x00")
	for name, c := range map[string]struct {
		data []byte
		want *image.NRGBA
	}{
		"fax, 0 is black":                         {faxTIFF(1, 1), filled(8, 8, black)},
		"fax, 0 is white":                         {faxTIFF(0, 1), filled(8, 8, white)},
		"fax, lowest bit first":                   {faxTIFF(1, 2), filled(8, 8, black)},
		"BMP of 32 bits without a mask for alpha": {opaqueBMP(img), img},
		"GIF on a small screen":                   {onSmallScreen, filled(64, 48, sky)},
		"GIF on a screen of no size":              {noScreen, filled(64, 48, sky)},
	} {
		t.Run(name, func(t *testing.T) { near(t, name, s.one(t, c.data, "format:png"), c.want, 90) })
	}
}

// faxTIFF returns a TIFF of 8×8 pixels in CCITT T.6: eight rows of one white run each. What white is, photometric says.
func faxTIFF(photometric, fillOrder uint32) []byte {
	gray := image.NewGray(image.Rect(0, 0, 8, 8))
	copy(gray.Pix, "\xff\x00\x10\x01") // eight codes of one bit, and the end; the same in both orders but for the end
	data := TIFF(gray)
	for _, tag := range []struct{ tag, value uint32 }{{258, 1}, {259, 4}, {262, photometric}, {266, fillOrder}} {
		data = retagTIFF(data, uint16(tag.tag), 3, 1, tag.value)
	}
	return data
}

// opaqueBMP returns a BMP of 32 bits with a header of version 5 that has no mask for alpha, and zeros in its place.
func opaqueBMP(img *image.NRGBA) []byte { return bmpOf32Bits(img, 0) }

// bmpOf32Bits returns a BMP of 32 bits with a header of version 5. Samples of alpha lie where their mask says.
func bmpOf32Bits(img *image.NRGBA, alpha uint32) []byte {
	const header = 124
	w, h := img.Rect.Dx(), img.Rect.Dy()
	data := make([]byte, 14+header, 14+header+4*w*h)
	copy(data, "BM")
	le := binary.LittleEndian
	le.PutUint32(data[10:], 14+header)
	le.PutUint32(data[14:], header)
	le.PutUint32(data[18:], uint32(w))
	le.PutUint32(data[22:], uint32(-h)) // rows from the top
	le.PutUint16(data[26:], 1)
	le.PutUint16(data[28:], 32)
	if alpha != 0 {
		le.PutUint32(data[30:], 3) // masks
		for i, mask := range []uint32{0xff0000, 0xff00, 0xff, alpha} {
			le.PutUint32(data[54+4*i:], mask)
		}
	}
	for y := range h {
		for x := range w {
			c := img.NRGBAAt(x, y)
			data = le.AppendUint32(data, uint32(c.R)<<16|uint32(c.G)<<8|uint32(c.B)|uint32(c.A)<<24&alpha)
		}
	}
	return data
}
