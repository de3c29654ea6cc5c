package ledger

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// A time is stored as seconds, zigzag, and below them a number of zoneSteps: 0 for an unknown zone, else its minutes
// and noZone. A location is latitude and longitude, in units of 1e-7 degrees, 4 bytes each, little-endian.
const (
	zoneSteps = 2 * noZone
	noZone    = known.MaxZone + 1
	perDegree = 1e7
)

// encodeRefused writes a refused variant: its name and its reason, each after its length in a byte, and the detail.
func encodeRefused(v Refused) string {
	name, reason := outcome.Cut(v.Variant, math.MaxUint8), outcome.Cut(string(v.Reason), math.MaxUint8)
	return string([]byte{byte(len(name))}) + name + string([]byte{byte(len(reason))}) + reason +
		outcome.Cut(v.Detail, MaxDetail)
}

func (d *decoder) refused() (v Refused) {
	in := decoder{rest: d.bytes()}
	next := func() string {
		if n := in.take(1); len(n) == 1 {
			return string(in.take(uint64(n[0])))
		}
		return ""
	}
	v.Variant, v.Reason = next(), outcome.Reason(next())
	v.Detail = string(in.rest)
	if d.err == nil && in.err != nil {
		d.fail(in.err)
	}
	return v
}

// encodeKnown writes what is known of an entry's image: some 40 bytes where a camera tells all but the place.
func encodeKnown(e *Entry, number func(int, uint64), text, shared func(int, string)) {
	f := e.Known
	if half := len(e.Content); len(f.SHA256) == 2*half && string(f.SHA256[:half]) == string(e.Content[:]) {
		text(fieldDigest, string(f.SHA256[half:]))
	}
	if t, zoned, ok := f.Time(); ok {
		zone := uint64(0)
		seconds := t.Unix()
		if zoned {
			_, east := t.Zone()
			zone = uint64(east/60 + noZone)
		}
		number(fieldCaptured, zigzag(seconds)*zoneSteps+zone)
	}
	shared(fieldCamera, f.Camera)
	if f.Location != nil {
		var b []byte
		for _, v := range []float64{f.Location.Latitude, f.Location.Longitude} {
			b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v*perDegree))))
		}
		text(fieldLocation, string(b))
	}
	if rgb, err := known.RGB(f.Color); err == nil {
		number(fieldColor, 1<<24|uint64(rgb[0])<<16|uint64(rgb[1])<<8|uint64(rgb[2])) // black is not nothing
	}
	text(fieldThumbHash, string(f.ThumbHash))
}

// known reads one of these fields.
func (d *decoder) known(field int, e *Entry) {
	if e.Known == nil {
		e.Known = new(known.Facts)
	}
	f := e.Known
	switch field {
	case fieldDigest:
		f.SHA256 = append(append(known.Digest{}, e.Content[:]...), d.bytes()...)
	case fieldCaptured:
		n := d.number()
		t, zone := time.Unix(unzigzag(n/zoneSteps), 0).UTC(), int(n%zoneSteps)
		layout := known.TimeLayouts[0]
		if zone != 0 {
			t, layout = t.In(time.FixedZone("", 60*(zone-noZone))), known.TimeLayouts[1]
		}
		f.Captured = t.Format(layout)
	case fieldCamera:
		f.Camera = d.text()
	case fieldLocation:
		if b := d.bytes(); len(b) == 8 {
			degrees := func(b []byte) float64 { return float64(int32(binary.LittleEndian.Uint32(b))) / perDegree }
			f.Location = &known.Location{Latitude: degrees(b), Longitude: degrees(b[4:])}
		} else if d.err == nil {
			d.fail(errors.New("its location has not 8 bytes"))
		}
	case fieldColor:
		n := d.number()
		f.Color = hex.EncodeToString([]byte{byte(n >> 16), byte(n >> 8), byte(n)})
	case fieldThumbHash:
		f.ThumbHash = append([]byte(nil), d.bytes()...)
	}
	if d.err == nil {
		if err := f.Check(); err != nil {
			d.fail(fmt.Errorf("what is known of its image: %w", err))
		}
	}
}
