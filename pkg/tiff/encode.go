package tiff

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zlib"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// stripRows is how many rows a strip has, as in files of libvips.
const stripRows = 128

// Encode returns a picture as a TIFF file, compressed by Deflate, with the differences of pixels side by side.
func Encode(img raster.Image) ([]byte, error) {
	if err := img.Validate(); err != nil {
		return nil, fmt.Errorf("tiff: %w", err)
	}
	pixel := img.Channels * img.Depth / 8
	row := make([]byte, img.Width*pixel)
	if len(row)*img.Height >= 1<<31 { // offsets have 32 bits, and Deflate may make data longer
		return nil, fmt.Errorf("tiff: %d×%d pixels are too many for a file that is not a BigTIFF", img.Width, img.Height)
	}
	out := bytes.NewBufferString("MM\x00*\x00\x00\x00\x00") // the offset of the directory comes last
	z := zlib.NewWriter(out)
	var offsets, counts []uint32
	for y := range img.Height {
		if y%stripRows == 0 {
			z.Reset(out)
			offsets = append(offsets, uint32(out.Len()))
		}
		differences(row, img.Row(y), pixel, img.Depth)
		if _, err := z.Write(row); err != nil {
			return nil, err
		}
		if (y+1)%stripRows == 0 || y+1 == img.Height {
			if err := z.Close(); err != nil {
				return nil, err
			}
			counts = append(counts, uint32(out.Len())-offsets[len(offsets)-1])
		}
	}
	if out.Len()%2 != 0 {
		out.WriteByte(0)
	}
	directory := out.Len()
	out.Write(directoryOf(&img, uint32(directory), offsets, counts))
	file := out.Bytes()
	binary.BigEndian.PutUint32(file[4:], uint32(directory))
	return file, nil
}

// differences stores what the samples of a row are more than those of the pixel before.
func differences(dst, src []byte, pixel, depth int) {
	copy(dst, src[:pixel])
	if depth == 8 {
		before := src
		for i, v := range src[pixel:] {
			dst[pixel+i] = v - before[i]
		}
		return
	}
	for i := pixel; i < len(src); i += 2 {
		binary.BigEndian.PutUint16(dst[i:], binary.BigEndian.Uint16(src[i:])-binary.BigEndian.Uint16(src[i-pixel:]))
	}
}

// directoryOf returns the directory, which stands at an offset in the file, and the values that it points to.
func directoryOf(img *raster.Image, at uint32, offsets, counts []uint32) []byte {
	const short, long, rational = 3, 4, 5
	colors := rgb
	if img.Channels <= 2 {
		colors = minIsBlack
	}
	bits := make([]uint32, img.Channels)
	for i := range bits {
		bits[i] = uint32(img.Depth)
	}
	entries := []struct {
		tag, kind uint16
		values    []uint32
	}{
		{tagWidth, long, []uint32{uint32(img.Width)}},
		{tagHeight, long, []uint32{uint32(img.Height)}},
		{tagBits, short, bits},
		{tagCompression, short, []uint32{uint32(deflate)}},
		{tagPhotometric, short, []uint32{uint32(colors)}},
		{tagStripOffsets, long, offsets},
		{tagSamples, short, []uint32{uint32(img.Channels)}},
		{tagRowsPerStrip, long, []uint32{stripRows}},
		{tagStripCounts, long, counts},
		{282, rational, []uint32{72, 1}}, // horizontal resolution
		{283, rational, []uint32{72, 1}}, // vertical resolution
		{296, short, []uint32{2}},        // per inch
		{tagPredictor, short, []uint32{2}},
		{tagExtraSamples, short, []uint32{2}}, // alpha, not multiplied by it
	}
	if img.Channels%2 != 0 {
		entries = entries[:len(entries)-1]
	}
	list := binary.BigEndian.AppendUint16(nil, uint16(len(entries)))
	var behind []byte
	at += uint32(2 + 12*len(entries) + 4)
	for _, e := range entries {
		var data []byte
		for _, v := range e.values {
			if e.kind == short {
				data = binary.BigEndian.AppendUint16(data, uint16(v))
			} else {
				data = binary.BigEndian.AppendUint32(data, v)
			}
		}
		n := len(e.values)
		if e.kind == rational {
			n /= 2
		}
		list = binary.BigEndian.AppendUint16(list, e.tag)
		list = binary.BigEndian.AppendUint16(list, e.kind)
		list = binary.BigEndian.AppendUint32(list, uint32(n))
		if len(data) > 4 {
			list = binary.BigEndian.AppendUint32(list, at+uint32(len(behind)))
			behind = append(append(behind, data...), make([]byte, len(data)%2)...)
			continue
		}
		list = append(append(list, data...), make([]byte, 4-len(data))...)
	}
	return append(append(list, 0, 0, 0, 0), behind...)
}
