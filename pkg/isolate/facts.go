package isolate

import (
	"math"

	"github.com/imagefarm/imagefarm/pkg/known"
)

// appendFacts writes what is known of an image, but for its digest, which no child makes.
func appendFacts(b []byte, f *known.Facts) []byte {
	if f == nil {
		f = new(known.Facts)
	}
	b = append8(append8(b, f.Captured), f.Camera)
	if f.Location == nil {
		b = append(b, 0)
	} else {
		b = append(b, 1)
		b = appendU64(appendU64(b, math.Float64bits(f.Location.Latitude)), math.Float64bits(f.Location.Longitude))
	}
	return append8(append8(b, f.Color), string(f.ThumbHash))
}

// facts reads them; nil: nothing is known.
func (f *fields) facts() *known.Facts {
	k := &known.Facts{Captured: f.str(f.u8()), Camera: f.str(f.u8())}
	if f.u8() != 0 {
		k.Location = &known.Location{
			Latitude: math.Float64frombits(f.u64()), Longitude: math.Float64frombits(f.u64()),
		}
	}
	k.Color = f.str(f.u8())
	if hash := f.str(f.u8()); hash != "" {
		k.ThumbHash = []byte(hash)
	}
	if k.Empty() {
		return nil
	}
	return k
}
