package metadata

import (
	"bytes"
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/engine/icc"
)

// embedAVIF says of an AVIF that its colours are those of Display P3, where the profile is that one. It does so by
// number, which has the room that the encoder's own numbers had. Any other profile is left out.
//
//	colr { "nclx" primaries:16 transfer:16 matrix:16 full:1 }
func embedAVIF(data []byte, s Set) ([]byte, []string) {
	at := bytes.Index(data, []byte("colrnclx"))
	if at < 0 || at+14 > len(data) || !bytes.Equal(s.ICC, icc.DisplayP3.Profile()) {
		return data, nil
	}
	const displayP3, srgbCurve, unspecified, bt601 = 12, 13, 2, 6
	out := bytes.Clone(data)
	numbers := out[at+8:]
	binary.BigEndian.PutUint16(numbers, displayP3)
	binary.BigEndian.PutUint16(numbers[2:], srgbCurve)
	if binary.BigEndian.Uint16(numbers[4:]) == unspecified {
		binary.BigEndian.PutUint16(numbers[4:], bt601)
	}
	return out, []string{"icc"}
}
