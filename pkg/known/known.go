// Package known holds what is known of an image beside what became of it: when and by which camera it was taken, where,
// and how it looks at a glance. Engines find it out; it travels in results and stands in ledger and report.
package known

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// Facts is what is known of an image. A zero field is not known.
type Facts struct {
	SHA256    Digest    `msgpack:"sha256,omitempty" json:"sha256,omitempty"`       // of the encoded image
	Captured  string    `msgpack:"captured,omitempty" json:"captured,omitempty"`   // when: see TimeLayouts
	Camera    string    `msgpack:"camera,omitempty" json:"camera,omitempty"`       // maker and model
	Location  *Location `msgpack:"location,omitempty" json:"location,omitempty"`   // where it was taken
	Color     string    `msgpack:"color,omitempty" json:"color,omitempty"`         // the mean: six hexadecimal digits
	ThumbHash []byte    `msgpack:"thumbhash,omitempty" json:"thumbhash,omitempty"` // a picture of a few blots
}

// Digest is a SHA-256, or empty. JSON has it in hexadecimal digits, messages have its bytes: it is no TextMarshaler,
// since msgpack would then write the digits.
type Digest []byte

// MarshalJSON implements json.Marshaler.
func (d Digest) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON implements json.Unmarshaler.
func (d *Digest) UnmarshalJSON(text []byte) error {
	var digits string
	if err := json.Unmarshal(text, &digits); err != nil {
		return err
	}
	sum, err := hex.DecodeString(digits)
	*d = sum
	return err
}

func (d Digest) String() string { return hex.EncodeToString(d) }

// Location is a place on earth, in degrees.
type Location struct {
	Latitude  float64 `msgpack:"lat" json:"lat"` // −90 to 90
	Longitude float64 `msgpack:"lon" json:"lon"` // −180 to 180
}

// TimeLayouts are how Captured is written: the camera's own time, with its zone where the image tells it.
var TimeLayouts = [2]string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z07:00"}

// The limits of the facts.
const (
	MaxZone      = 1023 // minutes of a zone from UTC, to either side, as a ledger can store them
	MaxCamera    = 64   // bytes
	MaxThumbHash = 32   // bytes
	DigestSize   = 32
)

// Empty reports whether nothing is known.
func (f *Facts) Empty() bool {
	return f == nil || len(f.SHA256) == 0 && f.Captured == "" && f.Camera == "" && f.Location == nil && f.Color == "" &&
		len(f.ThumbHash) == 0
}

// Time returns when the image was taken. zoned says whether its zone is known; else the time is the camera's, as UTC.
func (f *Facts) Time() (t time.Time, zoned, ok bool) { return ParseTime(f.Captured) }

// ParseTime returns the time that a text in one of TimeLayouts means, as Time does. ok is false for any other text, and
// where the zone is beyond MaxZone.
func ParseTime(text string) (t time.Time, zoned, ok bool) {
	for i, layout := range TimeLayouts {
		t, err := time.Parse(layout, text)
		if err != nil || len(text) > len(layout) { // longer: with fractions of a second, as many as there are
			continue
		}
		_, east := t.Zone()
		return t, i == 1, -MaxZone <= east/60 && east/60 <= MaxZone
	}
	return t, false, false
}

// Check returns an error that says which of the facts cannot be.
func (f *Facts) Check() error {
	if f == nil {
		return nil
	}
	_, _, isTime := f.Time()
	switch {
	case len(f.SHA256) != 0 && len(f.SHA256) != DigestSize:
		return fmt.Errorf("a SHA-256 of %d bytes", len(f.SHA256))
	case f.Captured != "" && !isTime:
		return fmt.Errorf("taken at %.40q, which is no time", f.Captured)
	case len(f.Camera) > MaxCamera || f.Camera != CleanCamera(f.Camera):
		return fmt.Errorf("a camera of %d bytes, more than %d, or not plain text", len(f.Camera), MaxCamera)
	case len(f.ThumbHash) > MaxThumbHash:
		return fmt.Errorf("a ThumbHash of %d bytes, more than %d", len(f.ThumbHash), MaxThumbHash)
	}
	if f.Color != "" {
		if _, err := RGB(f.Color); err != nil {
			return err
		}
	}
	if l := f.Location; l != nil && !(math.Abs(l.Latitude) <= 90 && math.Abs(l.Longitude) <= 180) {
		return fmt.Errorf("a location of %v degrees of latitude and %v of longitude", l.Latitude, l.Longitude)
	}
	return nil
}

// RGB returns the red, green and blue that a Color writes.
func RGB(color string) (rgb [3]byte, err error) {
	if len(color) == 6 && strings.ToLower(color) == color {
		if _, err = hex.Decode(rgb[:], []byte(color)); err == nil {
			return rgb, nil
		}
	}
	return rgb, fmt.Errorf("the colour %.20q has not six hexadecimal digits in lower case", color)
}

// CleanCamera returns a camera's name as plain text of at most MaxCamera bytes.
func CleanCamera(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	return strings.TrimSpace(outcome.Cut(s, MaxCamera))
}
