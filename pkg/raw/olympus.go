package raw

import (
	"bytes"
	"encoding/binary"

	"github.com/imagefarm/imagefarm/pkg/tiff"
)

// Olympus keeps the preview of an ORF in its maker's note.
//
//	"OLYMPUS\0" "II" 3:16 directory …            offsets count from the note
//	"OM SYSTEM\0\0\0" "II" 4:16 directory …      the same
//	"OLYMP\0" 1:16 directory …                  offsets count from the file
const (
	tagCameraSettings = 0x2020
	tagPreviewStart   = 0x101
	tagPreviewLength  = 0x102
)

// olympus adds the preview that a maker's note names, if it is one of Olympus. The note stands at an offset of the
// file.
func (f *finder) olympus(note []byte, at int64) {
	block, base, directory := f.block, int64(0), uint64(at)+8
	for magic, skip := range map[string]uint64{"OLYMPUS\x00": 12, "OM SYSTEM\x00\x00\x00": 16} {
		if !bytes.HasPrefix(note, []byte(magic)) || len(note) < int(skip) {
			continue
		}
		var order binary.ByteOrder = binary.LittleEndian
		if note[len(magic)] == 'M' {
			order = binary.BigEndian
		}
		block, base, directory = tiff.NewBlock(f.data[at:], order), at, skip
	}
	if base == 0 && !bytes.HasPrefix(note, []byte("OLYMP\x00")) {
		return
	}
	d, err := block.Directory(directory)
	if err != nil {
		return
	}
	settings := d.Value(tagCameraSettings)
	from := settings.At // of a directory that stands in the value itself
	if settings.Type == 4 || settings.Type == 13 {
		from = uint64(d.Int(tagCameraSettings, 0))
	}
	if d, err = block.Directory(from); err != nil {
		return
	}
	f.jpeg(base+int64(d.Int(tagPreviewStart, 0)), int64(d.Int(tagPreviewLength, 0)))
}
