package header

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
)

// TIFF tags of the facts.
const (
	tagMaker        = 271
	tagModel        = 272
	tagDateTime     = 306
	tagOriginalTime = 36867
	tagDigitized    = 36868
	tagGPS          = 34853
	tagOffset       = 36880 // of the zone of tagDateTime; the two of the others follow
)

// Facts returns what the image's EXIF tells of it. What makes no sense is left out.
func (i Info) Facts() known.Facts {
	var f known.Facts
	order, list := Directory(i.EXIF)
	var maker, model string
	times := map[int]string{}
	read := func(list []Entry) {
		for _, e := range list {
			switch e.Tag {
			case tagMaker:
				maker = e.text()
			case tagModel:
				model = e.text()
			case tagDateTime, tagOriginalTime, tagDigitized, tagOffset, tagOffset + 1, tagOffset + 2:
				times[e.Tag] = e.text()
			}
		}
	}
	read(list)
	for _, e := range list {
		switch e.Tag {
		case TagExif:
			read(DirectoryAt(i.EXIF, order, e.Int(order)))
		case tagGPS:
			f.Location = location(DirectoryAt(i.EXIF, order, e.Int(order)), order)
		}
	}
	if !strings.HasPrefix(strings.ToLower(model), strings.ToLower(maker)) {
		model = maker + " " + model
	}
	f.Camera = known.CleanCamera(model)
	for _, tags := range [][2]int{
		{tagOriginalTime, tagOffset + 1}, {tagDigitized, tagOffset + 2}, {tagDateTime, tagOffset},
	} {
		if f.Captured = captured(times[tags[0]], times[tags[1]]); f.Captured != "" {
			break
		}
	}
	return f
}

// text returns the value of a text, without what fills it up.
func (e Entry) text() string {
	if e.Type != 2 {
		return ""
	}
	value, _, _ := bytes.Cut(e.Value, []byte{0})
	return strings.TrimSpace(string(value))
}

// captured returns a time as known.Facts has it, or nothing where it is none.
func captured(date, zone string) string {
	t, err := time.Parse("2006:01:02 15:04:05", date)
	if err != nil || t.Year() < 1800 {
		return ""
	}
	local := t.Format(known.TimeLayouts[0])
	if _, zoned, ok := known.ParseTime(local + zone); ok && zoned {
		return local + zone
	}
	return local
}

// location reads the directory of GPS: latitude and longitude, each a letter and three fractions.
func location(list []Entry, order binary.ByteOrder) *known.Location {
	var letters [5]byte
	var degrees [5]float64
	for _, e := range list {
		switch {
		case (e.Tag == 1 || e.Tag == 3) && len(e.Value) > 0:
			letters[e.Tag] = e.Value[0]
		case (e.Tag == 2 || e.Tag == 4) && e.Type == 5 && e.Count == 3:
			for k := range 3 {
				up, low := order.Uint32(e.Value[8*k:]), order.Uint32(e.Value[8*k+4:])
				if low == 0 && (up != 0 || k == 0) {
					return nil
				}
				if low != 0 {
					degrees[e.Tag] += float64(up) / float64(low) / math.Pow(60, float64(k))
				}
			}
		}
	}
	if !strings.Contains("NS", string(letters[1:2])) || !strings.Contains("EW", string(letters[3:4])) {
		return nil
	}
	l := &known.Location{Latitude: degrees[2], Longitude: degrees[4]}
	if letters[1] == 'S' {
		l.Latitude = -l.Latitude
	}
	if letters[3] == 'W' {
		l.Longitude = -l.Longitude
	}
	f := known.Facts{Location: l}
	if f.Check() != nil || l.Latitude == 0 && l.Longitude == 0 { // cameras without a fix write zeros
		return nil
	}
	return l
}
