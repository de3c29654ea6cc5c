package hevc

import (
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

const (
	format  = "HEVC"
	maxSide = 1 << 15
)

// Options tell how to decode.
type Options struct {
	// MaxPixels is the largest width × height that is decoded; 0 means raster.DefaultMaxPixels. It is checked before
	// memory is allocated.
	MaxPixels int64

	// Unfiltered leaves out deblocking and sample adaptive offset. The picture is exact otherwise: no sample is
	// predicted from a filtered one.
	Unfiltered bool
}

// Plane is a component of a picture, as 8-bit samples.
type Plane struct {
	Pix           []byte
	Stride        int
	Width, Height int
}

// Picture is a decoded picture. It has one plane, or three: Y, Cb and Cr, or what else the stream calls so.
type Picture struct {
	Width, Height int
	Planes        []Plane
}

// Decoder decodes pictures one after the other, and keeps its memory for the next. The zero value is ready. It is not
// safe for use by several goroutines at once.
type Decoder struct{ d decoder }

// Decode decodes the first picture of data: units, each of which has its length before it. config is the configuration
// record of ISO/IEC 14496-15 (hvcC), which says how many bytes a length has and holds the parameter sets.
//
// The error is a *raster.UnsupportedError for what this package does not decode, before any memory is allocated for
// samples; else a *raster.TruncatedError, a *raster.CorruptError or a *raster.TooLargeError.
func (dec *Decoder) Decode(config, data []byte, opt Options) (*Picture, error) {
	d := &dec.d
	d.options = options{limit: raster.Options{MaxPixels: opt.MaxPixels}, filtered: !opt.Unfiltered}
	if err := d.limit.Validate(); err != nil {
		return nil, err
	}
	d.sets = sets{}
	size, err := d.readConfig(config)
	if err != nil {
		return nil, err
	}
	return d.decode(data, size)
}

// options are Options as the decoder uses them.
type options struct {
	limit    raster.Options
	filtered bool
}

// sets are the parameter sets by their numbers.
type sets struct {
	sequences [16]*sequence
	pictures  [64]*parameters
}

// readConfig reads the parameter sets of a configuration record, and returns the bytes of a unit's length.
func (d *decoder) readConfig(config []byte) (int, error) {
	units, err := unitsOf(config)
	for _, unit := range units {
		if err := d.readSet(unit); err != nil {
			return 0, err
		}
	}
	if err != nil {
		return 0, err
	}
	return 1 + int(config[21]&3), nil
}

// unitsOf returns the units of a configuration record, those before the fault where there is one.
//
//	hvcC { …21 bytes :6 lengthSize-1:2 arrays:8 { completeness:1 0:1 type:6 count:16 { length:16 unit } } }
func unitsOf(config []byte) (units [][]byte, err error) {
	if len(config) < 23 {
		return nil, raster.Truncatedf(format, "the configuration record")
	}
	rest := config[23:]
	for range config[22] {
		if len(rest) < 3 {
			return units, raster.Truncatedf(format, "the configuration record")
		}
		count := int(binary.BigEndian.Uint16(rest[1:]))
		rest = rest[3:]
		for range count {
			if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
				return units, raster.Truncatedf(format, "the configuration record")
			}
			n := int(binary.BigEndian.Uint16(rest))
			units, rest = append(units, rest[2:2+n]), rest[2+n:]
		}
	}
	return units, nil
}

// kindOf returns the kind of a unit, or -1 if it is of another layer or has no more than its two header bytes.
func kindOf(unit []byte) int {
	if len(unit) < 3 || unit[0]&1 != 0 || unit[1]>>3 != 0 {
		return -1
	}
	return int(unit[0] >> 1 & 63)
}

// readSet reads a unit that may be a parameter set.
func (d *decoder) readSet(unit []byte) error {
	switch kindOf(unit) {
	case unitSPS:
		id, s, err := parseSequence(unescape(nil, unit[2:]))
		if err != nil {
			return err
		}
		d.sets.sequences[id] = s
	case unitPPS:
		id, s, err := parseParameters(unescape(nil, unit[2:]), &d.sets.sequences)
		if err != nil {
			return err
		}
		d.sets.pictures[id] = s
	}
	return nil
}

// decode decodes units until the picture is whole.
func (d *decoder) decode(data []byte, size int) (*Picture, error) {
	var last *slice
	d.out = nil
	for len(data) > 0 {
		if len(data) < size {
			return nil, raster.Truncatedf(format, "the length of a unit")
		}
		n := 0
		for _, b := range data[:size] {
			n = n<<8 | int(b)
		}
		data = data[size:]
		cut := n > len(data)
		unit := data[:min(n, len(data))]
		data = data[len(unit):]
		kind := kindOf(unit)
		if kind > unitCRA {
			if err := d.readSet(unit); err != nil {
				return nil, err
			}
			continue
		}
		if kind < 0 || kind > 9 && kind < 16 {
			continue
		}
		d.raw = unescape(d.raw[:0], unit[2:])
		s, coded, err := d.parseSlice(kind, d.raw, last)
		if err != nil {
			return nil, err
		}
		if s.first && last != nil {
			break
		}
		last = s
		if err := d.decodeSlice(s, coded); err != nil {
			return nil, err
		}
		if d.next == d.across*d.down {
			return d.out, nil
		}
		if cut {
			break
		}
	}
	if last == nil {
		return nil, raster.Truncatedf(format, "its header: there is no picture")
	}
	return nil, raster.Truncatedf(format, "coding tree block %d of %d", d.next, d.across*d.down)
}
