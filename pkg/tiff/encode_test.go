package tiff

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
)

// spec is a TIFF file that a test writes.
type spec struct {
	width, height, bits, samples int
	photometric                  photometric
	compression                  compression
	format                       sampleFormat // 0: not written
	planar, tiled, big, reversed bool
	bigEndian                    bool
	predictor                    int
	rows                         int // of a strip
	t4                           int
	extra                        []int
	more                         map[uint16][]uint32 // tags of type LONG, or SHORT below 65536
	next                         bool                // a second page follows: the same again
	pieces                       [][]byte            // instead of what the samples would be compressed to
}

func (s spec) String() string {
	return fmt.Sprintf("%d×%d, %d×%d bits, photometric %d, %v, planar %v, tiled %v, big %v, reversed %v, "+
		"big-endian %v, predictor %d, extra %v, T4 %d",
		s.width, s.height, s.samples, s.bits, s.photometric, s.compression, s.planar, s.tiled, s.big, s.reversed,
		s.bigEndian, s.predictor, s.extra, s.t4)
}

func (s spec) order() binary.AppendByteOrder {
	if s.bigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// pack writes rows of samples.
func (s spec) pack(width, height, perPixel int, sample func(x, y, k int) uint64) [][]byte {
	var rows [][]byte
	for y := range height {
		var row []byte
		acc, have := uint64(0), 0
		for x := range width {
			for k := range perPixel {
				v := sample(x, y, k)
				switch s.bits {
				case 16:
					row = s.order().AppendUint16(row, uint16(v))
				case 24:
					p := s.order().AppendUint32(nil, uint32(v))
					if s.bigEndian {
						row = append(row, p[1:]...)
					} else {
						row = append(row, p[:3]...)
					}
				case 32:
					row = s.order().AppendUint32(row, uint32(v))
				case 64:
					row = s.order().AppendUint64(row, v)
				default:
					acc, have = acc<<s.bits|v, have+s.bits
					for have >= 8 {
						row = append(row, byte(acc>>(have-8)))
						have -= 8
					}
				}
			}
		}
		if have > 0 {
			row = append(row, byte(acc<<(8-have)))
		}
		rows = append(rows, s.predict(row, perPixel))
	}
	return rows
}

func (s spec) predict(row []byte, perPixel int) []byte {
	out := bytes.Clone(row)
	size := s.bits / 8
	switch s.predictor {
	case 2:
		get := func(i int) uint64 {
			p := row[i*size:]
			var o binary.ByteOrder = binary.LittleEndian
			if s.bigEndian {
				o = binary.BigEndian
			}
			switch size {
			case 1:
				return uint64(p[0])
			case 2:
				return uint64(o.Uint16(p))
			case 4:
				return uint64(o.Uint32(p))
			}
			return o.Uint64(p)
		}
		for i := perPixel; i < len(row)/size; i++ {
			d := get(i) - get(i-perPixel)
			switch size {
			case 1:
				out[i] = byte(d)
			case 2:
				copy(out[2*i:], s.order().AppendUint16(nil, uint16(d)))
			case 4:
				copy(out[4*i:], s.order().AppendUint32(nil, uint32(d)))
			case 8:
				copy(out[8*i:], s.order().AppendUint64(nil, d))
			}
		}
	case 3:
		count := len(row) / size
		for i := range count {
			for b := range size {
				from := b
				if !s.bigEndian {
					from = size - 1 - b
				}
				out[b*count+i] = row[i*size+from]
			}
		}
		for i := len(out) - 1; i >= perPixel; i-- {
			out[i] -= out[i-perPixel]
		}
	}
	return out
}

// encode writes the file.
func (s spec) encode(sample func(x, y, k int) uint64) []byte {
	planes, perPixel := 1, s.samples
	if s.planar {
		planes, perPixel = s.samples, 1
	}
	width, height := s.width, s.rows
	if height == 0 {
		height = s.height
	}
	if s.tiled {
		width, height = 32, 16
	}
	file := []byte("II")
	if s.bigEndian {
		file = []byte("MM")
	}
	o := s.order()
	if s.big {
		file = o.AppendUint64(o.AppendUint16(o.AppendUint16(o.AppendUint16(file, 43), 8), 0), 0)
	} else {
		file = o.AppendUint32(o.AppendUint16(file, 42), 0)
	}
	var offsets, counts []uint32
	for plane := range planes {
		for y0 := 0; y0 < s.height; y0 += height {
			for x0 := 0; x0 < s.width; x0 += width {
				h := height
				if !s.tiled {
					h = min(height, s.height-y0)
				}
				piece := s.compress(s.pack(width, h, perPixel, func(x, y, k int) uint64 {
					return sample(min(x0+x, s.width-1), min(y0+y, s.height-1), plane+k)
				}), width)
				if s.pieces != nil {
					piece = s.pieces[len(offsets)]
				}
				if s.reversed {
					for i := range piece {
						piece[i] = bits.Reverse8(piece[i])
					}
				}
				offsets, counts = append(offsets, uint32(len(file))), append(counts, uint32(len(piece)))
				file = append(file, piece...)
			}
		}
	}
	tags := map[uint16][]uint32{
		tagWidth: {uint32(s.width)}, tagHeight: {uint32(s.height)}, tagCompression: {uint32(s.compression)},
		tagPhotometric: {uint32(s.photometric)}, tagSamples: {uint32(s.samples)}, tagStripOffsets: offsets,
		tagStripCounts: counts,
		tagBits:        make([]uint32, s.samples), tagRowsPerStrip: {uint32(height)},
	}
	for i := range s.samples {
		tags[tagBits][i] = uint32(s.bits)
	}
	if s.tiled {
		delete(tags, tagStripOffsets)
		delete(tags, tagStripCounts)
		delete(tags, tagRowsPerStrip)
		tags[tagTileOffsets], tags[tagTileCounts], tags[tagTileWidth], tags[tagTileHeight] = offsets, counts, []uint32{32},
			[]uint32{16}
	}
	if s.planar {
		tags[tagPlanar] = []uint32{2}
	}
	if s.reversed {
		tags[tagFillOrder] = []uint32{2}
	}
	if s.predictor > 0 {
		tags[tagPredictor] = []uint32{uint32(s.predictor)}
	}
	if s.format != 0 {
		tags[tagSampleFormat] = []uint32{uint32(s.format)}
	}
	if s.t4 != 0 {
		tags[tagT4Options] = []uint32{uint32(s.t4)}
	}
	for _, e := range s.extra {
		tags[tagExtraSamples] = append(tags[tagExtraSamples], uint32(e))
	}
	for tag, v := range s.more {
		tags[tag] = v
	}
	at := len(file)
	file = s.directory(file, tags, s.next)
	if s.next {
		file = s.directory(file, tags, false)
	}
	if s.big {
		copy(file[8:], o.AppendUint64(nil, uint64(at)))
	} else {
		copy(file[4:], o.AppendUint32(nil, uint32(at)))
	}
	return file
}

func (s spec) directory(file []byte, tags map[uint16][]uint32, next bool) []byte {
	o := s.order()
	var list []byte
	var behind []byte // values that are too long for their entry
	size, inline, start := 12, 4, len(file)+2
	if s.big {
		size, inline, start = 20, 8, len(file)+8
	}
	start += size * len(tags)
	if s.big {
		start += 8
	} else {
		start += 4
	}
	for tag := range uint16(0xffff) {
		values, ok := tags[tag]
		if !ok {
			continue
		}
		kind := uint16(3)
		for _, v := range values {
			if v > 65535 || tag == tagStripOffsets || tag == tagTileOffsets {
				kind = 4
			}
		}
		if tag == tagOrientation {
			kind = 9 // as some cameras have it
		}
		if tag == tagJPEGTables {
			kind = 7
		}
		var p []byte
		for _, v := range values {
			switch kind {
			case 7:
				p = append(p, byte(v))
			case 3:
				p = o.AppendUint16(p, uint16(v))
			default:
				p = o.AppendUint32(p, v)
			}
		}
		list = o.AppendUint16(o.AppendUint16(list, tag), kind)
		if s.big {
			list = o.AppendUint64(list, uint64(len(values)))
		} else {
			list = o.AppendUint32(list, uint32(len(values)))
		}
		if len(p) > inline {
			at := start + len(behind)
			behind = append(behind, p...)
			if p = o.AppendUint32(nil, uint32(at)); s.big {
				p = o.AppendUint64(nil, uint64(at))
			}
		}
		list = append(list, append(p, make([]byte, inline-len(p))...)...)
	}
	following := uint64(0)
	if next {
		following = uint64(start + len(behind))
	}
	if s.big {
		file = append(o.AppendUint64(file, uint64(len(tags))), list...)
		file = o.AppendUint64(file, following)
	} else {
		file = append(o.AppendUint16(file, uint16(len(tags))), list...)
		file = o.AppendUint32(file, uint32(following))
	}
	return append(file, behind...)
}

// scene returns samples that are smooth here, noisy there.
func scene(bits int, seed uint64) func(x, y, k int) uint64 {
	rng := rand.New(rand.NewPCG(seed, 7))
	var noise [1024]uint64
	for i := range noise {
		noise[i] = rng.Uint64()
	}
	return func(x, y, k int) uint64 {
		v := uint64(x*3+y*5+k*40) << 56 >> 56
		if bits > 8 {
			v = v<<(bits-8) | noise[(x+y*7+k)%1024]>>(64-min(bits-8, 63))
		} else {
			v >>= 8 - bits
		}
		if (x/5+y/3)%4 == 0 {
			v = noise[(x+31*y+97*k)%1024] >> (64 - bits)
		}
		return v
	}
}
