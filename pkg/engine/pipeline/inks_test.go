package pipeline

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// inksTIFF encodes a picture as CMYK of 8 or 16 bits, where the black plate takes half of what gray there is.
func inksTIFF(img *image.NRGBA, depth int, profile []byte) []byte {
	order := binary.LittleEndian
	w, h := img.Rect.Dx(), img.Rect.Dy()
	b := []byte("II*\x00\x00\x00\x00\x00")
	strip := len(b)
	for i := 0; i < len(img.Pix); i += 4 {
		r, g, bl := img.Pix[i], img.Pix[i+1], img.Pix[i+2]
		k := (255 - max(r, g, bl)) / 2
		for _, v := range []byte{r, g, bl} {
			ink := 255 - min(int(v)*255/int(255-k), 255)
			b = append(b, bytes.Repeat([]byte{byte(ink)}, depth/8)...)
		}
		b = append(b, bytes.Repeat([]byte{k}, depth/8)...)
	}
	size := len(b) - strip
	bits := len(b)
	for range 4 {
		b = order.AppendUint16(b, uint16(depth))
	}
	icc := len(b)
	b = append(b, profile...)
	b = append(b, make([]byte, len(b)%2)...)
	order.PutUint32(b[4:], uint32(len(b)))
	entries := [][4]int{ // tag, type, count, value
		{256, 4, 1, w}, {257, 4, 1, h}, {258, 3, 4, bits}, {259, 3, 1, 1}, {262, 3, 1, 5}, {273, 4, 1, strip},
		{277, 3, 1, 4}, {278, 4, 1, h}, {279, 4, 1, size},
	}
	if profile != nil {
		entries = append(entries, [4]int{34675, 7, len(profile), icc})
	}
	b = order.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = order.AppendUint16(order.AppendUint16(b, uint16(e[0])), uint16(e[1]))
		b = order.AppendUint32(order.AppendUint32(b, uint32(e[2])), uint32(e[3]))
	}
	return append(b, 0, 0, 0, 0)
}

// Inks of a TIFF become colours once the picture is small. That is within a level of what the reference engine makes,
// which converts the whole picture first.
func TestInksOfTIFFBecomeColoursWhenSmall(t *testing.T) {
	img := enginetest.Photo(400, 300)
	for name, profile := range map[string][]byte{"none": nil, "tables": enginetest.TableProfiles()["CMYK mft2"]} {
		if name == "tables" && profile == nil {
			t.Fatal("there is no profile for CMYK")
		}
		for _, depth := range []int{8, 16} {
			data := inksTIFF(img, depth, profile)
			variants := []string{
				"a=fit:60x60,format:png", "b=fill:50x80:smart,format:png", "c=format:png",
				"d=fit:60x60,icc:p3,format:png", "e=fit:90x90,linear:yes,format:png",
				"f=trim,rotate:90,fit:40x40,format:png",
			}
			made := map[string][]image.Image{}
			for engineName, e := range engines(t, engine.Limits{}) {
				res, err := transformed(t, e, data, variants...)
				if err != nil {
					t.Fatalf("%s, %d bits, %s: %v", name, depth, engineName, err)
				}
				for _, o := range res.Outputs {
					out, err := png.Decode(bytes.NewReader(o.Data))
					if err != nil {
						t.Fatal(err)
					}
					made[engineName] = append(made[engineName], out)
				}
			}
			for i, v := range variants {
				if d := meanDifference(made["pipeline"][i], made["reference"][i]) / 257; d > 1 {
					t.Errorf("profile %s, %d bits, %s: %.2f levels from the reference", name, depth, v, d)
				}
			}
		}
	}
}
