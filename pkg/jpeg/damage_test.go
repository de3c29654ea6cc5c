package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
)

// wholeMCUs returns how many MCUs from the first on are as in want, and whether all samples of the others are
// mid-gray.
func wholeMCUs(p *Planes, want []graymap, scale Scale) (whole int, restGray bool) {
	hMax, vMax := p.Y.H, p.Y.V
	side := int(scale)
	mcusX, mcusY := ceilDiv(p.Width, side*hMax), ceilDiv(p.Height, side*vMax)
	whole, restGray = mcusX*mcusY, true
	for i, g := range want {
		plane := p.planes(3)[i]
		w, h := side*plane.H, side*plane.V
		for mcu := range mcusX * mcusY {
			for y := mcu / mcusX * h; y < min((mcu/mcusX+1)*h, g.height); y++ {
				for x := mcu % mcusX * w; x < min((mcu%mcusX+1)*w, g.width); x++ {
					if plane.Pix[y*plane.Stride+x] != g.pix[y*g.width+x] {
						whole = min(whole, mcu)
					}
				}
			}
		}
	}
	for i, g := range want {
		plane := p.planes(3)[i]
		w, h := side*plane.H, side*plane.V
		for y := range g.height {
			for x := range g.width {
				// The MCU in which the data ends may be either.
				if mcu := y/h*mcusX + x/w; mcu > whole && plane.Pix[y*plane.Stride+x] != middle {
					restGray = false
				}
			}
		}
	}
	return whole, restGray
}

// Of a file cut anywhere what came before the cut is decoded, the rest is gray, and nothing is seen of the image
// that the planes held before.
func TestTruncatedFileKeepsWhatCameBefore(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	for _, restart := range []int{0, 1, 5} {
		p := newPicture(r, 150, 70, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
		p.restart = restart
		file := p.encode()
		var d Decoder
		for _, scale := range scales {
			want := p.planes(scale)
			before := 0
			var planes Planes
			for n := bytes.Index(file, []byte{0xFF, markerSOS}) + 14; n < len(file)-2; n++ {
				fill(planes.Y.Pix[:cap(planes.Y.Pix)], 77)
				fill(planes.Cb.Pix[:cap(planes.Cb.Pix)], 77)
				fill(planes.Cr.Pix[:cap(planes.Cr.Pix)], 77)
				err := d.Decode(&planes, file[:n], Options{Scale: scale})
				whole, restGray := wholeMCUs(&planes, want, scale)
				var truncated *TruncatedError
				if !errors.As(err, &truncated) || truncated.Offset != n {
					t.Fatalf("%d/8 of %d bytes of %d: %v", scale, n, len(file), err)
				}
				if whole < before || !restGray {
					t.Fatalf("%d/8 of %d bytes of %d: %d MCUs, %d of a shorter file, rest gray: %v",
						scale, n, len(file), whole, before, restGray)
				}
				before = whole
			}
			if mcus := 10 * 5; before < mcus-1 {
				t.Errorf("%d/8: of %d MCUs only %d were decoded of all bytes but one", scale, mcus, before)
			}
		}
	}
}

// A sequential file that lacks nothing but its end marker is complete.
func TestMissingEndMarkerIsNoTruncation(t *testing.T) {
	p := newPicture(rand.New(rand.NewPCG(15, 16)), 50, 50, [2]int{1, 1})
	file := p.encode()
	for cut := range 3 {
		var planes Planes
		if err := Decode(&planes, file[:len(file)-cut], Options{}); err != nil {
			t.Errorf("%d bytes cut: %v", cut, err)
		}
	}
}

// Whatever the scale, and however few scans it needs, a progressive file that ends too early is truncated. One that
// lacks nothing but its end marker is not.
func TestTruncatedProgressiveFileIsOneAtEveryScale(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	p := newPicture(r, 60, 60, [2]int{2, 1}, [2]int{1, 1}, [2]int{1, 1})
	p.progress(r)
	file := p.encode()
	var d Decoder
	for n := frameOf(t, file) + 60; n < len(file); n++ {
		for _, scale := range scales {
			var planes Planes
			err := d.Decode(&planes, file[:n], Options{Scale: scale})
			if n >= len(file)-2 {
				if err != nil {
					t.Fatalf("%d/8 of all but the end marker: %v", scale, err)
				}
				compare(t, "all but the end marker", &planes, p.planes(scale))
				continue
			}
			var truncated *TruncatedError
			if !errors.As(err, &truncated) {
				t.Fatalf("%d/8 of %d bytes of %d: %v", scale, n, len(file), err)
			}
		}
	}
}

// Damage in one restart interval is not seen in the others.
func TestDecodingGoesOnBehindTheNextRestartMarker(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	p := newPicture(r, 160, 48, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1})
	p.restart = 20 // a row
	file := p.encode()
	second := bytes.Index(file, []byte{0xFF, markerRST0}) + 2
	third := bytes.Index(file, []byte{0xFF, markerRST0 + 1})
	damaged := append(bytes.Clone(file[:second+3]), file[third:]...) // the second interval's data is cut short
	for _, scale := range scales {
		want := p.planes(scale)
		var planes Planes
		err := Decode(&planes, damaged, Options{Scale: scale})
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			t.Fatalf("%d/8: %v", scale, err)
		}
		side := int(scale)
		for i, g := range want {
			plane := planes.planes(3)[i]
			for y := range g.height {
				got := plane.Pix[y*plane.Stride:][:g.width]
				if row := y / side; row != 1 && !bytes.Equal(got, g.pix[y*g.width:][:g.width]) {
					t.Fatalf("%d/8: component %d, row %d is damaged", scale, i, y)
				} else if row == 1 && got[len(got)-1] != middle {
					t.Fatalf("%d/8: component %d, row %d does not end in gray", scale, i, y)
				}
			}
		}
	}
}

// Damaged files give a typed error or an image, never a panic, and the same from a decoder that has decoded others.
func TestMutatedFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	var d Decoder
	var planes Planes
	count := 6000
	if testing.Short() {
		count = 600
	}
	kinds := map[string]int{}
	for i := range count {
		file := randomPicture(r).encode()
		for range 1 + r.IntN(4) {
			switch at := r.IntN(len(file)); r.IntN(4) {
			case 0:
				file[at] = byte(r.IntN(256))
			case 1:
				file[at] ^= 1 << r.IntN(8)
			case 2:
				file = append(file[:at], file[min(at+1+r.IntN(20), len(file)):]...)
			case 3:
				file = append(file[:at:at], append([]byte{0xFF, byte(r.IntN(256)), 0}, file[at:]...)...)
			}
			if len(file) == 0 {
				file = []byte{0}
			}
		}
		if h, _ := DecodeHeader(file); h.Width*h.Height > 1<<20 {
			continue
		}
		for _, scale := range scales {
			err := d.Decode(&planes, file, Options{Scale: scale})
			kinds[errorKind(t, err)]++
			var fresh Planes
			again := Decode(&fresh, file, Options{Scale: scale})
			if fmt.Sprint(err) != fmt.Sprint(again) {
				t.Fatalf("file %d, %d/8: %v, then %v", i, scale, err, again)
			}
			samePlanes(t, &planes, &fresh)
		}
	}
	for _, kind := range []string{"sound", "truncated", "corrupt", "unsupported"} {
		if kinds[kind] == 0 {
			t.Errorf("no file was %s: %v", kind, kinds)
		}
	}
}

// errorKind names the type of a decoder's error and fails the test for other types.
func errorKind(t testing.TB, err error) string {
	t.Helper()
	switch err.(type) {
	case nil:
		return "sound"
	case *TruncatedError:
		return "truncated"
	case *CorruptError:
		return "corrupt"
	case *UnsupportedError:
		return "unsupported"
	}
	t.Fatalf("an error of type %T: %v", err, err)
	return ""
}

func samePlanes(t testing.TB, a, b *Planes) {
	t.Helper()
	for i := range 3 {
		p, q := a.planes(3)[i], b.planes(3)[i]
		if p.Width != q.Width || p.Height != q.Height {
			t.Fatalf("component %d: %d×%d and %d×%d", i, p.Width, p.Height, q.Width, q.Height)
		}
		for y := range p.Height {
			if !bytes.Equal(p.Pix[y*p.Stride:][:p.Width], q.Pix[y*q.Stride:][:q.Width]) {
				t.Fatalf("component %d differs in row %d", i, y)
			}
		}
	}
}

// Damage that gives fewer blocks than were coded leaves data over. Every sample is there, and some of them are wrong.
func TestDataLeftOverIsDamage(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, restart := range []int{0, 4} {
		for _, progressive := range []bool{false, true} {
			p := newPicture(r, 64, 64, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1})
			if progressive {
				p.progress(r)
			}
			p.restart = restart
			file := p.encode()
			end := []byte{0xFF, markerEOI}
			if restart > 0 {
				end = []byte{0xFF, markerRST0}
			}
			at := bytes.Index(file, end)
			insert := func(n int, b byte) []byte {
				return append(append(bytes.Clone(file[:at]), bytes.Repeat([]byte{b}, n)...), file[at:]...)
			}
			for _, scale := range scales {
				var planes, want Planes
				if err := Decode(&want, file, Options{Scale: scale}); err != nil {
					t.Fatal(err)
				}
				for n, b := range map[int]byte{maxSurplus: 0x55, 500: 0, 200_000: 0} {
					if err := Decode(&planes, insert(n, b), Options{Scale: scale}); err != nil && n < windowSize {
						t.Errorf("%d bytes %02x, %d/8: %v", n, b, scale, err)
					}
				}
				for _, n := range []int{maxSurplus + 1, 100, 200_000} {
					err := Decode(&planes, insert(n, 0x55), Options{Scale: scale})
					needed := !progressive || restart > 0 || scale == Full // the last scan may not be needed
					if !isSurplus(err) && needed {
						t.Errorf("%d bytes, restart %d, progressive %v, %d/8: %v", n, restart, progressive, scale, err)
					}
					samePlanes(t, &planes, &want)
				}
			}
		}
	}
}
