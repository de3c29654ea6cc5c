// Package icc converts pictures from the colours of an ICC profile to those of sRGB or Display P3.
//
// It reads what cameras, phones, editors and printing houses write: profiles of three primaries and their tone curves
// ("matrix/TRC": Adobe RGB, Display P3, ProPhoto, …), of one gray tone curve, and of look-up tables (mft1, mft2, mAB)
// for gray, RGB and CMYK. The intent is perceptual, with black point compensation, as littlecms converts to its sRGB.
//
// A profile is hostile until read: nothing is allocated by what it says of itself, and what is damaged, or has a white
// that is none, is not used.
package icc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// The colour spaces that a profile can be for, as it spells them.
const (
	RGB  = "RGB "
	Gray = "GRAY"
	CMYK = "CMYK"
)

// SpaceName returns how people call a colour space: RGB, GRAY, CMYK.
func SpaceName(space string) string { return strings.TrimSpace(space) }

const (
	maxTags = 200     // of a profile's tag table
	maxSize = 8 << 20 // bytes of a profile that is used
)

// Profile is a parsed profile. It is safe for use by several goroutines.
type Profile struct {
	Space string // RGB, Gray, CMYK, …

	// Trouble says why the profile cannot be used; empty: it can.
	Trouble string

	lab    bool // the connection space is L*a*b*
	v4     bool
	linear [3][256]float32 // each channel's tone curve
	matrix [3][3]float64   // from linear values to XYZ under D50
	tables *lut            // nil: tone curves and matrix
	black  [3]float64      // the darkest colour, XYZ under D50

	mu    sync.Mutex
	kinds [targets]*Conversion
	grid  *grid // of tables for RGB and CMYK, once a conversion was asked for
}

// Parse reads a profile. An error means that it is none; one that cannot be used is no error, but has Trouble.
//
//	header (128 bytes: … version at 8, class at 12, space at 16, connection space at 20 … "acsp" at 36 …)
//	count:32 { signature:4 offset:32 size:32 }  data
func Parse(data []byte) (*Profile, error) {
	if len(data) < 132 || string(data[36:40]) != "acsp" {
		return nil, errors.New("not an ICC profile")
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("an ICC profile of %d bytes, more than %d", len(data), maxSize)
	}
	p := &Profile{Space: string(data[16:20]), lab: string(data[20:24]) == "Lab ", v4: data[8] >= 4}
	tags := map[string][]byte{}
	count := binary.BigEndian.Uint32(data[128:])
	if count > maxTags {
		return nil, fmt.Errorf("an ICC profile of %d tags", count)
	}
	for i := range int(count) {
		at := 132 + 12*i
		if at+12 > len(data) {
			return nil, errors.New("the tag table of the ICC profile is cut short")
		}
		offset, size := int64(binary.BigEndian.Uint32(data[at+4:])), int64(binary.BigEndian.Uint32(data[at+8:]))
		if offset+size <= int64(len(data)) {
			tags[string(data[at:at+4])] = data[offset : offset+size]
		}
	}
	p.read(tags, string(data[12:16]), string(data[20:24]))
	return p, nil
}

// read reads what p is made of, and notes the trouble.
func (p *Profile) read(tags map[string][]byte, class, connection string) {
	inputs := map[string]int{Gray: 1, RGB: 3, CMYK: 4}[p.Space]
	switch {
	case inputs == 0:
		p.Trouble = fmt.Sprintf("it is for the colour space %q", p.Space)
		return
	case slices.Contains([]string{"link", "abst", "nmcl"}, class) || connection != "XYZ " && !p.lab:
		p.Trouble = fmt.Sprintf("it is of class %q and leads to %q", class, connection)
		return
	}
	var err error
	if table := firstOf(tags, "A2B0", "A2B1"); table != nil {
		p.tables, err = readLUT(slices.Clone(table), inputs)
	} else {
		err = p.readCurves(tags)
	}
	if err == nil {
		err = p.checkWhite()
	}
	if err != nil {
		p.Trouble = err.Error()
		return
	}
	p.black = p.darkest()
}

// firstOf returns the first tag that is there, or nil.
func firstOf(tags map[string][]byte, names ...string) []byte {
	for _, n := range names {
		if t := tags[n]; t != nil {
			return t
		}
	}
	return nil
}

// readCurves reads tone curves, and of RGB the primaries.
func (p *Profile) readCurves(tags map[string][]byte) error {
	switch p.Space {
	case CMYK:
		return errors.New("it has no table")
	case Gray:
		c, _ := readCurve(tags["kTRC"])
		if p.lab && c != nil { // the curve is of lightness
			lightness := c
			c = func(x float64) float64 { return fromLab([3]float64{100 * lightness(x)})[1] }
		}
		if !levels(c, &p.linear[0]) {
			return errors.New("its tone curve is missing or damaged")
		}
		p.linear[1], p.linear[2] = p.linear[0], p.linear[0]
		p.matrix = SRGB.matrix()
		return nil
	}
	if p.lab {
		return errors.New("it has no table")
	}
	for i, name := range []string{"r", "g", "b"} {
		column, ok := readXYZ(tags[name+"XYZ"])
		c, _ := readCurve(tags[name+"TRC"])
		if !ok || !levels(c, &p.linear[i]) {
			return errors.New("a primary or a tone curve is missing or damaged")
		}
		for row := range 3 {
			p.matrix[row][i] = column[row]
		}
	}
	return nil
}

func readXYZ(tag []byte) (v [3]float64, ok bool) {
	if len(tag) < 20 || string(tag[:4]) != "XYZ " {
		return v, false
	}
	for i := range 3 {
		v[i] = s15Fixed16(tag[8+4*i:])
	}
	return v, true
}

// checkWhite returns an error if the device's white is far from white: then what the profile says makes no sense.
func (p *Profile) checkWhite() error {
	white := [4]float64{1, 1, 1}
	if p.Space == CMYK {
		white = [4]float64{}
	}
	lab := toLab(p.xyz(white))
	if !(lab[0] > 75 && lab[0] < 115 && lab[1] > -30 && lab[1] < 30 && lab[2] > -30 && lab[2] < 30) {
		return fmt.Errorf("its white is L*a*b* %.0f %.0f %.0f", lab[0], lab[1], lab[2])
	}
	return nil
}

// xyz returns the colour of device values of 0 to 1, XYZ under D50.
func (p *Profile) xyz(in [4]float64) [3]float64 {
	if p.tables != nil {
		return p.tables.xyz(p.tables.eval(in), p.lab)
	}
	if p.Space == Gray {
		in[1], in[2] = in[0], in[0]
	}
	var v [3]float64
	for i := range v {
		v[i] = float64(p.linear[i][int(in[i]*255+0.5)])
	}
	return product(&p.matrix, v)
}

// darkest returns the colour that black point compensation makes black, as littlecms finds it.
func (p *Profile) darkest() [3]float64 {
	switch {
	case p.tables == nil:
		return [3]float64{}
	case p.v4:
		return [3]float64{0.00336, 0.0034731, 0.00287} // of the perceptual intent
	}
	var in [4]float64
	if p.Space == CMYK {
		in = [4]float64{1, 1, 1, 1}
	}
	l := toLab(p.xyz(in))[0]
	if !(l >= 0 && l <= 50) {
		l = 0
	}
	return fromLab([3]float64{l})
}

// Curves returns the light of each level of red, green and blue, 0 to 1. It is nil where the profile has tables in
// place of curves, or cannot be used. Gray has three of the same.
func (p *Profile) Curves() *[3][256]float32 {
	if !p.Usable() || p.tables != nil {
		return nil
	}
	return &p.linear
}

// Usable reports whether the profile can be used.
func (p *Profile) Usable() bool { return p.Trouble == "" }

func product(m *[3][3]float64, v [3]float64) (out [3]float64) {
	for i := range out {
		out[i] = m[i][0]*v[0] + m[i][1]*v[1] + m[i][2]*v[2]
	}
	return out
}
