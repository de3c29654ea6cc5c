package enginetest

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// withProfile encodes green, as 40 200 40, in formats that carry a profile.
func withProfile(profile []byte) map[string][]byte {
	img := filled(64, 64, color.NRGBA{40, 200, 40, 255})
	return map[string][]byte{
		"JPEG": JPEG(img, JPEGOptions{Quality: 100, Sampling: [2]int{1, 1}, Segments: [][]byte{iccSegment(profile)}}),
		"PNG":  insertChunk(PNG(img), "iCCP", append([]byte("x\x00\x00"), deflated(profile)...)),
		"TIFF": tiffOf(64, 64, 2, profile, []byte{40, 200, 40}),
	}
}

// tiffOf encodes a picture of one colour without compression, with a profile.
func tiffOf(w, h, photometric int, profile, pixel []byte) []byte {
	order := binary.LittleEndian
	pixels := bytes.Repeat(pixel, w*h)
	bits := bytes.Repeat([]byte{8, 0}, len(pixel))
	b := append([]byte("II*\x00"), 0, 0, 0, 0)
	place := func(p []byte) (at uint32) {
		at = uint32(len(b))
		b = append(append(b, p...), make([]byte, len(p)%2)...)
		return at
	}
	strip, depth, icc := place(pixels), place(bits), place(profile)
	order.PutUint32(b[4:], uint32(len(b)))
	entries := [][4]uint32{ // tag, type, count, value
		{256, 4, 1, uint32(w)}, {257, 4, 1, uint32(h)}, {258, 3, uint32(len(pixel)), depth}, {259, 3, 1, 1},
		{262, 3, 1, uint32(photometric)}, {273, 4, 1, strip}, {277, 3, 1, uint32(len(pixel))}, {278, 4, 1, uint32(h)},
		{279, 4, 1, uint32(len(pixels))}, {34675, 7, uint32(len(profile)), icc},
	}
	b = order.AppendUint16(b, uint16(len(entries)))
	for _, e := range entries {
		b = order.AppendUint16(order.AppendUint16(b, uint16(e[0])), uint16(e[1]))
		b = order.AppendUint32(order.AppendUint32(b, e[2]), e[3])
	}
	return append(b, 0, 0, 0, 0)
}

func converted(t *testing.T, profile []byte, to icc.Target, pixel []byte) color.NRGBA {
	t.Helper()
	p, err := icc.Parse(profile)
	if err != nil || !p.Usable() {
		t.Fatalf("%v, %s", err, p.Trouble)
	}
	c := Converted(p.To(to), pixel)
	return color.NRGBA{c[0], c[1], c[2], 255}
}

func testProfilesOfTables(t *testing.T, s Suite) {
	for _, name := range []string{"RGB mft1", "RGB mft2", "RGB mAB", "RGB mAB XYZ", "swapped mft2"} {
		profile := TableProfiles()[name]
		want := converted(t, profile, icc.SRGB, []byte{40, 200, 40})
		if !far(want, color.NRGBA{40, 200, 40, 255}, 20) {
			t.Fatalf("%s: %v is no change worth testing", name, want)
		}
		for kind, data := range withProfile(profile) {
			for _, ops := range []string{"fit:16x16,", "", "fill:8x16:smart,"} {
				if got := s.one(t, data, ops+"format:png").NRGBAAt(4, 4); far(got, want, 3) {
					t.Errorf("%s with %s, %s %v, want %v", kind, name, ops, got, want)
				}
			}
			res := s.make(t, data, "x=fit:16x16,format:png")
			if s.warns(t, res, ""); len(res.Dropped) != 0 {
				t.Errorf("%s with %s: dropped %v", kind, name, res.Dropped)
			}
		}
	}
	dark := TableProfiles()["gray mft2"]
	gray := JPEG(filled(64, 64, color.NRGBA{55, 55, 55, 255}),
		JPEGOptions{Gray: true, Quality: 100, Segments: [][]byte{iccSegment(dark)}})
	want := converted(t, dark, icc.SRGB, []byte{55})
	if got := s.one(t, gray, "fit:16x16,format:png").NRGBAAt(4, 4); far(got, want, 2) {
		t.Errorf("gray by tables: %v, want %v", got, want)
	}
}

// Inks become colours by the profile, in every decoder that reads them.
func testInks(t *testing.T, s Suite) {
	plain := File("cmyk.jpg")
	img, err := jpeg.Decode(bytes.NewReader(plain))
	must(err)
	inks := img.(*image.CMYK)
	for _, name := range []string{"CMYK mft1", "CMYK mft2", "CMYK mAB"} {
		profile := TableProfiles()[name]
		p, err := icc.Parse(profile)
		if err != nil || !p.Usable() {
			t.Fatalf("%s: %v, %s", name, err, p.Trouble)
		}
		want := image.NewNRGBA(image.Rect(0, 0, inks.Rect.Dx(), inks.Rect.Dy()))
		for y := range inks.Rect.Dy() {
			p.To(icc.SRGB).Inks(want.Pix[y*want.Stride:][:want.Stride], inks.Pix[y*inks.Stride:])
		}
		data := withSegments(plain, iccSegment(profile))
		near(t, name, s.one(t, data, "format:png"), want, 38)
		if PSNR(s.one(t, plain, "format:png"), want) > 30 {
			t.Errorf("%s: the profile changes nothing worth testing", name)
		}
		res := s.make(t, data, "x=fit:99x99,format:jpeg,icc:keep")
		if s.warns(t, res, ""); len(res.Dropped) != 0 {
			t.Errorf("%s: dropped %v", name, res.Dropped)
		}
		if info, err := header.Read(res.Outputs[0].Data); err != nil || info.ICC != nil {
			t.Errorf("%s: the output carries a profile of %d bytes (%v)", name, len(info.ICC), err)
		}
		pixel := []byte{200, 100, 20, 30}
		scan := tiffOf(64, 64, 5, profile, pixel)
		if got := s.one(t, scan, "fit:16x16,format:png").NRGBAAt(4, 4); far(got, converted(t, profile, icc.SRGB, pixel), 2) {
			t.Errorf("TIFF with %s: %v, want %v", name, got, converted(t, profile, icc.SRGB, pixel))
		}
	}
	profile := TableProfiles()["CMYK mft2"]
	cut := withSegments(plain, iccSegment(profile))
	lenient, err := s.tryWith(t, lenient(), cut[:len(cut)-len(plain)/3], "x=format:png")
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := Decode(lenient.Outputs[0].Data)
	must(err)
	top := image.Rect(0, 0, got.Rect.Dx(), got.Rect.Dy()/5)
	near(t, "cut short", crop(got, top), crop(s.one(t, cut, "format:png"), top), 30)
}

// A profile that cannot be right for the picture leaves the picture as it is, and a warning says so.
func testUnusableProfiles(t *testing.T, s Suite) {
	gray := Profile("GRAY", tag{"kTRC", []byte("curv\x00\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00")})
	table := TableProfiles()["RGB mft2"]
	pink := AdobeRGB() // red is as bright as all three together
	at := bytes.Index(pink, []byte("rXYZ"))
	binary.BigEndian.PutUint32(pink[binary.BigEndian.Uint32(pink[at+4:])+12:], 5<<16)
	dark := AdobeRGB()
	for _, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		at := binary.BigEndian.Uint32(dark[bytes.Index(dark, []byte(name))+4:])
		for i := range uint32(3) {
			v := dark[at+8+4*i:]
			binary.BigEndian.PutUint32(v, uint32(int32(binary.BigEndian.Uint32(v))/9))
		}
	}
	lab, link := AdobeRGB(), AdobeRGB()
	copy(lab[16:], "Lab ")
	copy(link[12:], "link")
	for name, c := range map[string]struct {
		profile []byte
		warning string
	}{
		"a profile for L*a*b*":  {lab, "it is for the colour space \"Lab \""},
		"a link of two devices": {link, "it is of class \"link\""},
		"a gray profile":        {gray, "it is for GRAY, and the picture is RGB"},
		"a profile for CMYK":    {TableProfiles()["CMYK mft1"], "it is for CMYK, and the picture is RGB"},
		"half a table":          {table[:len(table)/2], "it has no table"},
		"no profile":            {[]byte("this is no profile, however long one reads on"), "not an ICC profile"},
		"a white that is pink":  {pink, "its white is"},
		"a white that is black": {dark, "its white is"},
	} {
		for kind, data := range withProfile(c.profile) {
			res := s.make(t, data, "x=fit:16x16,format:png")
			s.warns(t, res, c.warning)
			got, _, err := Decode(res.Outputs[0].Data)
			must(err)
			if far(got.NRGBAAt(4, 4), color.NRGBA{40, 200, 40, 255}, 3) {
				t.Errorf("%s with %s: green became %v", kind, name, got.NRGBAAt(4, 4))
			}
			if info, err := header.Read(res.Outputs[0].Data); err != nil || info.ICC != nil {
				t.Errorf("%s with %s: the output carries it (%v)", kind, name, err)
			}
			if !slices.Equal(res.Dropped, []string{"icc"}) {
				t.Errorf("%s with %s: dropped %v", kind, name, res.Dropped)
			}
		}
	}
}

func testDisplayP3(t *testing.T, s Suite) {
	pixel := []byte{40, 200, 40}
	for name, data := range withProfile(icc.DisplayP3.Profile()) {
		for _, f := range []string{"jpeg", "png", "webp", "avif"} {
			res := s.make(t, data, "x=fit:16x16,quality:95,icc:p3,format:"+f)
			info, err := header.Read(res.Outputs[0].Data)
			if err != nil || !bytes.Equal(info.ICC, icc.DisplayP3.Profile()) {
				t.Errorf("%s to %s: it carries a profile of %d bytes (%v)", name, f, len(info.ICC), err)
			}
			got, _, err := Decode(res.Outputs[0].Data)
			must(err)
			if far(got.NRGBAAt(4, 4), color.NRGBA{40, 200, 40, 255}, 6) {
				t.Errorf("%s to %s: wide green became %v", name, f, got.NRGBAAt(4, 4))
			}
			if s.warns(t, res, ""); len(res.Dropped) != 0 {
				t.Errorf("%s to %s: dropped %v", name, f, res.Dropped)
			}
		}
	}
	for name, c := range map[string]struct{ data, profile, pixel []byte }{
		"Adobe RGB": {withProfile(AdobeRGB())["PNG"], AdobeRGB(), pixel},
		"tables":    {withProfile(TableProfiles()["RGB mAB"])["JPEG"], TableProfiles()["RGB mAB"], pixel},
		"sRGB":      {PNG(filled(64, 64, color.NRGBA{40, 200, 40, 255})), icc.SRGB.Profile(), pixel},
		"inks":      {tiffOf(64, 64, 5, TableProfiles()["CMYK mft2"], []byte{30, 100, 20, 30}), nil, nil},
	} {
		got := s.one(t, c.data, "fit:16x16,icc:p3,format:png").NRGBAAt(4, 4)
		if c.profile != nil && far(got, converted(t, c.profile, icc.DisplayP3, c.pixel), 2) {
			t.Errorf("%s: %v, want %v", name, got, converted(t, c.profile, icc.DisplayP3, c.pixel))
		}
		// Converted back, it is what it is without a detour.
		back := converted(t, icc.DisplayP3.Profile(), icc.SRGB, []byte{got.R, got.G, got.B})
		if want := s.one(t, c.data, "fit:16x16,format:png").NRGBAAt(4, 4); far(back, want, 3) {
			t.Errorf("%s: %v of Display P3 is %v, want %v", name, got, back, want)
		}
	}
	// Where nothing can say that it is Display P3, it is sRGB, and a warning says so.
	data := withProfile(icc.DisplayP3.Profile())["PNG"]
	for _, f := range []string{"gif", "tiff"} {
		res := s.make(t, data, "x=fit:16x16,icc:p3,format:"+f)
		s.warns(t, res, "carries no profile of Display P3")
		got, _, err := Decode(res.Outputs[0].Data)
		must(err)
		if far(got.NRGBAAt(4, 4), converted(t, icc.DisplayP3.Profile(), icc.SRGB, pixel), 4) {
			t.Errorf("%s: %v", f, got.NRGBAAt(4, 4))
		}
	}
	// Gray is the same in both.
	gray := s.make(t, JPEG(Photo(64, 64), JPEGOptions{Gray: true}), "x=fit:16x16,icc:p3")
	if info, err := header.Read(gray.Outputs[0].Data); err != nil || info.ICC != nil || !info.Gray {
		t.Errorf("gray: a profile of %d bytes, gray %v (%v)", len(info.ICC), info.Gray, err)
	}
	for _, f := range format.Written() {
		if _, err := recipe.Parse("x=icc:p3,format:" + f); err != nil {
			t.Error(err)
		}
	}
}
