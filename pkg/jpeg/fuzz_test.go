package jpeg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// seeds are small files of all kinds.
func seeds() (files [][]byte) {
	r := rand.New(rand.NewPCG(23, 24))
	for range 40 {
		p := randomPicture(r)
		p.width, p.height = min(p.width, 40), min(p.height, 40)
		files = append(files, p.encode())
	}
	return files
}

func FuzzHeader(f *testing.F) {
	for _, file := range seeds() {
		f.Add(file[:min(len(file), 700)])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := DecodeHeader(data)
		if errorKind(t, err) == "sound" && (h.Width < 1 || h.Height < 1 || len(h.Components) != 1 &&
			len(h.Components) != 3 && len(h.Components) != 4) {
			t.Errorf("a sound header says %+v", h)
		}
		for _, s := range h.Segments {
			if s.Offset < 0 || s.Length < 0 || s.Offset+s.Length > len(data) {
				t.Errorf("a segment out of %d bytes: %+v", len(data), s)
			}
		}
	})
}

// FuzzDecode decodes at every scale, with a decoder and planes that hold another image and with new ones; both must
// agree. The vector and the plain transforms are compared in their own test.
func FuzzDecode(f *testing.F) {
	for _, file := range seeds() {
		f.Add(file)
	}
	another := seeds()[0]
	f.Fuzz(func(t *testing.T, data []byte) {
		h, headerErr := DecodeHeader(data)
		if h.Width*h.Height > 1<<18 {
			return
		}
		before := bytes.Clone(data)
		var used Decoder
		var usedPlanes Planes
		for _, scale := range scales {
			if err := used.Decode(&usedPlanes, another, Options{Scale: scale}); err != nil {
				t.Fatal(err)
			}
			err := used.Decode(&usedPlanes, data, Options{Scale: scale})
			kind := errorKind(t, err)
			if headerErr != nil && kind != errorKind(t, headerErr) {
				t.Errorf("the header gives %v, decoding %v", headerErr, err)
			}
			var planes Planes
			if again := errorKind(t, Decode(&planes, data, Options{Scale: scale})); again != kind {
				t.Errorf("%s, then %s", kind, again)
			}
			samePlanes(t, &usedPlanes, &planes)
			if headerErr == nil && planes.Width != scale.of(h.Width) {
				t.Errorf("%d/8 of %d is %d wide", scale, h.Width, planes.Width)
			}
			_ = Decode(&planes, data, Options{Scale: scale, SkipRefinement: true})
		}
		if !bytes.Equal(data, before) {
			t.Error("the data was changed")
		}
	})
}

// FuzzRows reads rows, of 12 bits among others. What was cut short is read to its end where that is asked for.
func FuzzRows(f *testing.F) {
	r := rand.New(rand.NewPCG(29, 30))
	for i, file := range seeds() {
		f.Add(file)
		p := randomPicture(r)
		p.width, p.height, p.twelve = min(p.width, 40), min(p.height, 40), true
		file = p.encode()
		f.Add(file[:len(file)-i])
	}
	for _, file := range arithmeticFiles(f) {
		f.Add(file)
	}
	inks := func(dst, src []byte) { copy(dst, src) }
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, _ := DecodeHeader(data); h.Width*h.Height > 1<<16 {
			return
		}
		for _, accept := range []bool{false, true} {
			rows, err := OpenRows(data, RowOptions{Inks: inks, AcceptTruncated: accept})
			errorKind(t, err)
			if err != nil {
				return
			}
			w, h := rows.Size()
			row := make([]byte, w*rows.Channels()*rows.Depth()/8)
			for y := range h {
				kind := errorKind(t, rows.ReadRow(row))
				if kind != "sound" && y > 0 || accept && kind == "truncated" {
					t.Fatalf("row %d is %s", y, kind)
				}
				if kind != "sound" {
					break
				}
			}
		}
	})
}
