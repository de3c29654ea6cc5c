package raw

import (
	"encoding/binary"
)

// findRAF reads Fujifilm's file: its JPEG has everything, but for the size of the sensor's picture.
//
//	"FUJIFILMCCD-RAW " version, camera …  @84 JPEG:32 length:32  directory:32 length:32  sensor's data:32 length:32
//	directory: count:32 { tag:16 length:16 data }
func findRAF(data []byte) *File {
	f := &finder{data: data}
	if len(data) < 100 {
		f.Cut = true
		return &f.File
	}
	be := binary.BigEndian
	f.jpeg(int64(be.Uint32(data[84:])), int64(be.Uint32(data[88:])))
	const full, cropped = 0x100, 0x111
	if at := int64(be.Uint32(data[92:])); at+4 <= int64(len(data)) {
		list := data[at+4:]
		for count := min(be.Uint32(data[at:]), 1000); count > 0 && len(list) >= 4; count-- {
			tag, n := be.Uint16(list), int(be.Uint16(list[2:]))
			if list = list[4:]; n > len(list) {
				break
			}
			if (tag == full || tag == cropped) && n >= 4 {
				f.Height, f.Width = int(be.Uint16(list)), int(be.Uint16(list[2:])) // the crop comes last, and counts
			}
			list = list[n:]
		}
	}
	return &f.File
}
