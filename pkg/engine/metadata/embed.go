package metadata

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"io"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/engine/header"
)

// maxSegment is the payload that a JPEG segment can have, bytes.
const maxSegment = 65533

// embedJPEG puts segments behind the first one, JFIF's.
func embedJPEG(data []byte, s Set) ([]byte, []string, error) {
	if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
		return nil, nil, errors.New("metadata: not a JPEG")
	}
	at := 2
	if data[2] == 0xff && data[3] == 0xe0 && len(data) >= 6 {
		at = min(len(data), 4+int(binary.BigEndian.Uint16(data[4:])))
	}
	var segments []byte
	segment := func(marker byte, payload ...[]byte) bool {
		p := bytes.Join(payload, nil)
		if len(p) > maxSegment {
			return false
		}
		segments = append(segments, 0xff, marker)
		segments = binary.BigEndian.AppendUint16(segments, uint16(len(p)+2))
		segments = append(segments, p...)
		return true
	}
	if len(s.EXIF) > 0 && !segment(0xe1, []byte("Exif\x00\x00"), s.EXIF) {
		s.EXIF = nil
	}
	const xmp = "http://ns.adobe.com/xap/1.0/\x00"
	switch told := withGainMap(s.XMP, len(s.Gain)); {
	case len(s.Gain) > 0 && segment(0xe1, []byte(xmp), told):
	case len(s.Gain) > 0:
		s.XMP = nil
		segment(0xe1, []byte(xmp), withGainMap(nil, len(s.Gain)))
	case len(s.XMP) > 0 && !segment(0xe1, []byte(xmp), s.XMP):
		s.XMP = nil
	}
	if len(s.IPTC) > 0 {
		resource := binary.BigEndian.AppendUint32([]byte("8BIM\x04\x04\x00\x00"), uint32(len(s.IPTC)))
		resource = append(resource, s.IPTC...)
		if len(s.IPTC)%2 == 1 {
			resource = append(resource, 0)
		}
		if !segment(0xed, []byte("Photoshop 3.0\x00"), resource) {
			s.IPTC = nil
		}
	}
	const most = maxSegment - 14
	if count := (len(s.ICC) + most - 1) / most; count > 255 {
		s.ICC = nil
	} else {
		for i := range count {
			part := s.ICC[i*most : min(len(s.ICC), (i+1)*most)]
			segment(0xe2, []byte("ICC_PROFILE\x00"), []byte{byte(i + 1), byte(count)}, part)
		}
	}
	if len(s.ISO) > 0 && !segment(0xe2, []byte(header.ISOPrefix), s.ISO) {
		s.ISO = nil
	}
	if len(s.Gain) > 0 {
		begin := at + len(segments) + 4 + len(header.MPFPrefix) // of the index
		size := len(data) + begin - at + len(header.MPF(0, 0, 0))
		segment(0xe2, []byte(header.MPFPrefix), header.MPF(begin, size, len(s.Gain)))
	}
	out := make([]byte, 0, len(data)+len(segments)+len(s.Gain))
	out = append(append(append(append(out, data[:at]...), segments...), data[at:]...), s.Gain...)
	return out, s.names(), nil
}

// embedPNG puts chunks behind the header, where all of them may stand.
func embedPNG(data []byte, s Set) []byte {
	const at = 8 + 12 + 13
	if len(data) < at {
		return data
	}
	var chunks []byte
	chunk := func(kind string, p []byte) {
		chunks = binary.BigEndian.AppendUint32(chunks, uint32(len(p)))
		from := len(chunks)
		chunks = append(append(chunks, kind...), p...)
		chunks = binary.BigEndian.AppendUint32(chunks, crc32.ChecksumIEEE(chunks[from:]))
	}
	if len(s.ICC) > 0 {
		var b bytes.Buffer
		b.WriteString("ICC profile\x00\x00")
		z := zlib.NewWriter(&b)
		_, _ = z.Write(s.ICC) // a bytes.Buffer takes everything
		_ = z.Close()
		chunk("iCCP", b.Bytes())
	}
	if len(s.EXIF) > 0 {
		chunk("eXIf", s.EXIF)
	}
	if len(s.XMP) > 0 {
		chunk("iTXt", append([]byte("XML:com.adobe.xmp\x00\x00\x00\x00\x00"), s.XMP...))
	}
	out := make([]byte, 0, len(data)+len(chunks))
	return append(append(append(out, data[:at]...), chunks...), data[at:]...)
}

func wellFormed(text string) bool {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
