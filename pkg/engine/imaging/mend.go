package imaging

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"io"

	"github.com/gen2brain/jpegn"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// mendJPEG decodes as much as there is of a JPEG; the rest is gray.
func mendJPEG(data []byte) (image.Image, error) {
	img, err := jpegn.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, outcome.Reject(outcome.Truncated, "the JPEG ends before its picture begins: %v", err)
	}
	return img, nil
}

// mendPNG decodes as much as there is of a PNG; the rest is black or transparent. It writes the PNG anew, with the
// samples that could be inflated and zeros for the others.
func mendPNG(data []byte) (image.Image, error) {
	var packed []byte
	out := append([]byte(nil), data[:8]...)
	for at := 8; at+8 <= len(data); {
		n, kind := int64(binary.BigEndian.Uint32(data[at:])), string(data[at+4:at+8])
		end := int64(at) + 8 + n
		if kind == "IDAT" {
			packed = append(packed, data[at+8:min(end, int64(len(data)))]...)
		} else if kind != "IEND" && end+4 <= int64(len(data)) && n < 1<<20 {
			out = append(out, data[at:end+4]...)
		}
		if end+4 > int64(len(data)) {
			break
		}
		at = int(end + 4)
	}
	_, err := png.DecodeConfig(bytes.NewReader(out))
	if err != nil {
		return nil, outcome.Reject(outcome.Truncated, "the PNG ends before its picture begins: %v", err)
	}
	most := samplesSize(out[16:29])
	var body bytes.Buffer
	z := zlib.NewWriter(&body)
	var have int64
	if r, err := zlib.NewReader(bytes.NewReader(packed)); err == nil {
		have, _ = io.Copy(z, io.LimitReader(r, most)) // it ends with an error where the data do
	}
	if have == 0 {
		return nil, outcome.Reject(outcome.Truncated, "the PNG ends before its picture begins")
	}
	if _, err := io.CopyN(z, zeros{}, most-have); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	out = appendChunk(out, "IDAT", body.Bytes())
	return png.Decode(bytes.NewReader(appendChunk(out, "IEND", nil)))
}

// samplesSize returns the bytes that a PNG's samples have before they are deflated, with a filter byte for each row.
func samplesSize(ihdr []byte) int64 {
	w, h := int64(binary.BigEndian.Uint32(ihdr)), int64(binary.BigEndian.Uint32(ihdr[4:]))
	bits := int64(ihdr[8]) * [7]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[ihdr[9]%7]
	size := func(w, h int64) int64 {
		if w == 0 {
			return 0
		}
		return h * (1 + (w*bits+7)/8)
	}
	if ihdr[12] == 0 {
		return size(w, h)
	}
	total := int64(0)
	for _, p := range [7][4]int64{ // first column and row, and steps, of each pass of an interlaced one
		{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2},
	} {
		total += size((w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3])
	}
	return total
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func appendChunk(out []byte, kind string, p []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
	from := len(out)
	out = append(append(out, kind...), p...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[from:]))
}

// mendGIF cuts a GIF off after its last whole frame. Without one it returns data as it is.
func mendGIF(data []byte) []byte {
	if len(data) < 13 {
		return data
	}
	at, end := 13+colors(data[10]), 0
	for at+10 < len(data) {
		frame := data[at] == 0x2c
		switch {
		case frame:
			at += 11 + colors(data[at+9])
		case data[at] == 0x21:
			at += 2
		default:
			at = len(data)
		}
		for at < len(data) && data[at] != 0 {
			at += 1 + int(data[at])
		}
		at++
		if frame && at <= len(data) {
			end = at
		}
	}
	if end == 0 {
		return data
	}
	return append(bytes.Clone(data[:end]), 0x3b)
}

// colors returns the bytes of a GIF's colour table.
func colors(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}
