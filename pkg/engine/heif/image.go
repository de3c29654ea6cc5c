package heif

import (
	"math"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Image is what a file says of a picture.
type Image struct {
	Format        string // format.HEIC or format.AVIF, by the coding
	Width, Height int    // as stored: cropped, not yet turned
	Orientation   int    // 1 to 8 as EXIF numbers them: how the container wants the picture turned
	Gray          bool
	Alpha         bool
	Truncated     bool // data of the picture lie beyond the end of the file

	Beside []string // what belongs to the picture and is not read, by names such as GainMap

	ICC  []byte // the profile, or one made of the primaries and the transfer curve where those are not sRGB's
	EXIF []byte // a TIFF block
	XMP  []byte
}

// Image describes the primary picture, or the one that Select chose. The error is an *outcome.Rejection, by name for
// what is not read.
func (f *File) Image() (Image, error) {
	p := f.shown
	coded, err := f.coded(p)
	if err != nil {
		return Image{}, err
	}
	w, h := p.size()
	if w < 1 || h < 1 || w > math.MaxInt32 || h > math.MaxInt32 {
		return Image{}, outcome.Reject(outcome.Corrupt, "its primary picture has no size")
	}
	window, err := p.window(w, h)
	if err != nil {
		return Image{}, err
	}
	c := f.colorOf(p, coded)
	img := Image{
		Format: format.HEIC, Width: window.w, Height: window.h, Orientation: p.orientation(),
		Gray: c.gray, Alpha: f.alphaOf(p) != nil, ICC: c.profile(), Truncated: f.cut(p), Beside: f.beside(p),
	}
	if coded.kind == "av01" {
		img.Format = format.AVIF
	}
	for _, it := range f.inOrder() {
		about := it.refs["cdsc"]
		if len(about) > 0 && !slices.Contains(about, p.id) && !slices.Contains(about, f.primary.id) {
			continue // of a gain map, for one
		}
		switch {
		case it.kind == "Exif" && img.EXIF == nil:
			if b := it.bytes(); len(b) > 4 {
				if skip := be32(b); skip < len(b)-4 {
					img.EXIF = b[4+skip:]
				}
			}
		case it.kind == "mime" && img.XMP == nil && strings.Contains(it.content, "application/rdf+xml"):
			img.XMP = it.bytes()
		}
	}
	return img, nil
}

// inOrder lists the items by their numbers.
func (f *File) inOrder() []*item {
	list := make([]*item, 0, len(f.items))
	for _, it := range f.items {
		list = append(list, it)
	}
	slices.SortFunc(list, func(a, b *item) int { return a.id - b.id })
	return list
}

// coded returns the item that holds coded samples of a picture: itself, or the first tile of a grid.
func (f *File) coded(it *item) (*item, error) {
	switch it.kind {
	case "hvc1", "av01":
		return it, nil
	case "iden": // the same picture, with properties of its own
		if base := f.base(it); base != nil {
			return f.coded(base)
		}
		return nil, outcome.Reject(outcome.Corrupt, "a derived picture without the one that it is derived from")
	case "grid":
		for _, id := range it.refs["dimg"] {
			if tile := f.items[id]; tile != nil && (tile.kind == "hvc1" || tile.kind == "av01") {
				return tile, nil
			}
		}
		return nil, outcome.Reject(outcome.Corrupt, "a grid without tiles of HEVC or AV1")
	case "":
		return nil, outcome.Reject(outcome.Corrupt, "its primary picture is no item")
	}
	return nil, outcome.Reject(outcome.Unsupported, "a picture coded as %q", it.kind)
}

// base returns the coded picture or the grid that an identical one is derived from, or nil.
func (f *File) base(it *item) *item {
	if ids := it.refs["dimg"]; len(ids) == 1 {
		if base := f.items[ids[0]]; base != nil && base.kind != "iden" {
			return base
		}
	}
	return nil
}

// cut reports whether bytes of a picture lie beyond the end of the file.
func (f *File) cut(it *item) bool {
	if base := f.base(it); it.kind == "iden" && base != nil {
		return f.cut(base)
	}
	if it.cut {
		return true
	}
	return it.kind == "grid" && slices.ContainsFunc(it.refs["dimg"], func(id int) bool {
		tile := f.items[id]
		return tile == nil || tile.cut
	})
}

// window is the part of a picture that is shown.
type window struct{ x, y, w, h int }

// window returns what the clap property leaves of w×h pixels.
//
//	clap { widthN widthD heightN heightD horizontalN horizontalD verticalN verticalD, each :32 }
//
// The offsets are from the middle of the picture to the middle of the window.
func (it *item) window(w, h int) (window, error) {
	b := it.property("clap")
	if len(b) < 32 {
		return window{0, 0, w, h}, nil
	}
	fraction := func(at int) float64 {
		return float64(int32(be32(b[at:]))) / float64(int32(be32(b[at+4:])))
	}
	cw, ch := math.Round(fraction(0)), math.Round(fraction(8))
	x := math.Floor(fraction(16) + (float64(w)-cw)/2)
	y := math.Floor(fraction(24) + (float64(h)-ch)/2)
	if !(cw >= 1 && ch >= 1 && x >= 0 && y >= 0 && x+cw <= float64(w) && y+ch <= float64(h)) { // not with NaN either
		return window{}, outcome.Reject(outcome.Corrupt, "it is cropped to a window outside of the picture")
	}
	return window{int(x), int(y), int(cw), int(ch)}, nil
}

// orientation returns EXIF's number of the rotation and the mirror that the item's properties ask for.
func (it *item) orientation() int {
	turns, mirrored, axis := 0, false, 0
	for _, b := range it.properties {
		switch {
		case b.Kind == "irot" && len(b.Data) >= 1:
			turns = int(b.Data[0] & 3)
		case b.Kind == "imir" && len(b.Data) >= 1:
			mirrored, axis = true, int(b.Data[0]&1)
		}
	}
	return orientationOf(turns, mirrored, axis)
}

// orientationOf returns the EXIF number of a rotation by turns × 90° counter-clockwise, then of a mirror along the
// vertical (0) or the horizontal (1) axis.
func orientationOf(turns int, mirrored bool, axis int) int {
	if !mirrored {
		return [4]int{1, 8, 3, 6}[turns]
	}
	if axis == 0 { // top and bottom change places
		return [4]int{4, 5, 2, 7}[turns]
	}
	return [4]int{2, 7, 4, 5}[turns]
}

// alphaOf returns the auxiliary picture of opacity, or nil.
func (f *File) alphaOf(p *item) *item {
	for _, it := range f.inOrder() {
		if slices.Contains(it.refs["auxl"], p.id) && it.auxiliary() == opacity {
			return it
		}
	}
	return nil
}

// What a file has beside a picture that is not read, by the names by which the engine lists it.
const (
	GainMap  = "gain-map" // Apple's auxiliary picture, or an item of ISO 21496-1
	Depth    = "depth"
	Matte    = "matte"    // of persons, skin, hair, sky
	Pictures = "pictures" // auxiliary ones of another kind
	Video    = "video"    // of a motion photo, or a sequence
)

// opacity is the kind of an auxiliary picture that is read.
const opacity = ""

// auxiliary returns what an auxiliary picture shows: opacity, or one of the names above.
func (it *item) auxiliary() string {
	kind := it.property("auxC")
	if len(kind) <= 4 {
		return Pictures
	}
	urn, _, _ := strings.Cut(string(kind[4:]), "\x00")
	switch {
	case urn == "urn:mpeg:hevc:2015:auxid:1", urn == "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
		urn == "urn:mpeg:avc:2015:auxid:1":
		return opacity
	case urn == "urn:mpeg:hevc:2015:auxid:2", urn == "urn:mpeg:mpegB:cicp:systems:auxiliary:depth",
		urn == "urn:mpeg:avc:2015:auxid:2":
		return Depth
	case strings.HasSuffix(urn, ":aux:hdrgainmap"):
		return GainMap
	case strings.HasSuffix(urn, "matte"):
		return Matte
	}
	return Pictures
}

// beside lists what belongs to a picture and is not read, sorted.
func (f *File) beside(p *item) []string {
	var list []string
	for _, it := range f.items {
		switch {
		case it.kind == "tmap": // says how a gain map applies to the picture
			list = append(list, GainMap)
		case slices.Contains(it.refs["auxl"], p.id) && it.auxiliary() != opacity:
			list = append(list, it.auxiliary())
		}
	}
	if f.video {
		list = append(list, Video)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// thumbnailOf returns the smallest thumbnail item that shows the whole picture p with at least w×h pixels, or nil.
func (f *File) thumbnailOf(p *item, w, h int) *item {
	pw, ph := p.size()
	var best *item
	for _, it := range f.inOrder() {
		if !slices.Contains(it.refs["thmb"], p.id) || it.orientation() != p.orientation() ||
			it.property("clap") != nil || f.cut(it) {
			continue
		}
		if _, err := f.coded(it); err != nil {
			continue
		}
		tw, th := it.size()
		// The same proportions, but for what rounding takes: each side is less than a pixel from the exact one.
		if tw < w || th < h || tw >= pw || max(tw*ph-th*pw, th*pw-tw*ph) >= max(pw, ph) {
			continue
		}
		if best == nil {
			best = it
		} else if bw, _ := best.size(); tw < bw {
			best = it
		}
	}
	return best
}
