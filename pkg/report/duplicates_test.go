package report

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// blots are ThumbHashes as package thumbhash makes them of three pictures of stripes that lean to either side.
func blots(kind int) []byte {
	h := []byte{0x20, 0x08, 0x82 | 20<<2&0x7c, 0x07, 0x00} // portrait, opaque, with waves
	for i := range 19 {
		h = append(h, byte(8+int(6*math.Sin(float64(kind*37+i*(kind+1)))))|byte(8+int(6*math.Cos(float64(kind*11+i))))<<4)
	}
	return h
}

func TestDuplicatesAreFoundByContentAndByLook(t *testing.T) {
	b := newShelf(8, time.Second)
	sum := func(n byte) known.Digest { return bytes.Repeat([]byte{n}, known.DigestSize) }
	near := blots(1)
	near[20] ^= 1 // a weak wave is a little weaker
	images := []*known.Facts{
		{SHA256: sum(1), Color: "102030", ThumbHash: blots(1)},
		{SHA256: sum(2), Color: "102030", ThumbHash: blots(2)},
		{SHA256: sum(1), Color: "102030", ThumbHash: blots(1)},
		{SHA256: sum(3), Color: "122232", ThumbHash: near},
		{SHA256: sum(4), Color: "f02030", ThumbHash: blots(1)}, // of another colour
		{Color: "102030", ThumbHash: blots(5)},
		nil,
		{SHA256: sum(4)},
	}
	b.entry = func(i int) wire.Receipt {
		e := entry(0, time.Second)
		e.Filename, e.ID, e.Known = fmt.Sprint(i, ".jpg"), fmt.Sprint(i), images[i]
		for k := range e.Outputs {
			e.Outputs[k].Name = fmt.Sprint(i, "_", k, ".jpg")
		}
		return e
	}
	for _, c := range []struct {
		similar         bool
		groups          string
		images, unknown int
	}{
		{false, "[[0.jpg 2.jpg] [4.jpg 7.jpg]]", 6, 2},
		{true, "[[0.jpg 2.jpg 3.jpg]]", 6, 2},
	} {
		found, err := FindDuplicates(t.Context(), b, c.similar)
		if err != nil {
			t.Fatal(err)
		}
		var groups [][]string
		for _, g := range found.Groups {
			var names []string
			for _, image := range g.Images {
				names = append(names, image.Filename)
			}
			groups = append(groups, names)
		}
		if fmt.Sprint(groups) != c.groups || found.Images != c.images || found.Unknown != c.unknown {
			t.Errorf("similar %v: %v of %d images, %d unknown; want %s of %d, %d", c.similar, groups, found.Images,
				found.Unknown, c.groups, c.images, c.unknown)
		}
	}
}
