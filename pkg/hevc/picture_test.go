package hevc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// pictures are the files of testdata, and the sums of what libde265 makes of them, filtered and not.
var pictures = []struct {
	name            string
	width, height   int
	sum, unfiltered uint32
}{
	{"base", 200, 136, 0x98fc01be, 0x14e1ada3},
	{"fine", 200, 136, 0xff72a2d7, 0xff72a2d7},
	{"coarse", 200, 136, 0xee21dbbb, 0x478eded4},
	{"ctb16", 200, 136, 0xd58ca2dd, 0x6b035d0d},
	{"ctb32", 200, 136, 0x818defc6, 0xc24c921a},
	{"gray", 200, 136, 0x2ecdaf7b, 0xb51828fd},
	{"gray10", 200, 136, 0x572022d9, 0xb0db241f},
	{"chroma422", 200, 136, 0x37b1ddbc, 0xdb513597},
	{"chroma422-10", 200, 136, 0x4711fbd3, 0x8e57367b},
	{"chroma444", 200, 136, 0xa762021e, 0xead35e34},
	{"depth10", 200, 136, 0x8b8e6300, 0x7ca5dac9},
	{"depth12", 200, 136, 0x71f64aa2, 0x6a1b55c3},
	{"skip", 200, 136, 0x296c78da, 0x85071851},
	{"skip444", 200, 136, 0xfb319b9f, 0xffb078cf},
	{"lossless", 200, 136, 0x85bf2568, 0x85bf2568},
	{"cu-lossless", 200, 136, 0x6751faeb, 0xe93d60e0},
	{"scaling", 200, 136, 0x66f49df8, 0xbbfde2f9},
	{"quantgroups", 200, 136, 0x502d9e6f, 0x87d6cb72},
	{"offsets", 200, 136, 0xaba161a4, 0x0a7af6fa},
	{"wavefront", 200, 136, 0xc9a7f41a, 0x8e38d18d},
	{"slices", 200, 136, 0xf8fee146, 0x7023ec7f},
	{"nofilter", 200, 136, 0x029ba3ae, 0x029ba3ae},
	{"random-bypass", 176, 96, 0x5d96d96c, 0x1ac72518},
	{"random-depths", 32, 32, 0xec04f87b, 0x0406b14a},
	{"random-pcm", 80, 32, 0xf1db0f27, 0xf1db0f27},
	{"random-rows", 64, 32, 0x42a59b23, 0x42a59b23},
	{"random-segments", 80, 80, 0xccd0074c, 0xccd0074c},
	{"random-tiles", 128, 48, 0x8fd49f3e, 0x164e2294},
	{"random-tiles422", 160, 96, 0x7d0efd2f, 0x7f6d8699},
}

// readStream returns a file of testdata as a configuration record and the units of a picture.
func readStream(t testing.TB, name string) (config, data []byte) {
	t.Helper()
	stream, err := os.ReadFile(filepath.Join("testdata", name+".hevc"))
	if err != nil {
		t.Fatal(err)
	}
	return split(stream)
}

// split turns a byte stream into a configuration record and units with their lengths.
func split(stream []byte) (config, data []byte) {
	config = make([]byte, 23)
	config[0], config[21] = 1, 3
	for unit := range bytes.SplitSeq(stream, []byte{0, 0, 1}) {
		unit = bytes.TrimRight(unit, "\x00")
		if len(unit) < 3 {
			continue
		}
		if kind := unit[0] >> 1; kind >= unitVPS && kind <= unitPPS {
			config[22]++
			config = append(config, kind, 0, 1)
			config = binary.BigEndian.AppendUint16(config, uint16(len(unit)))
			config = append(config, unit...)
			continue
		}
		data = binary.BigEndian.AppendUint32(data, uint32(len(unit)))
		data = append(data, unit...)
	}
	return config, data
}

func sumOf(p *Picture) uint32 {
	sum := crc32.NewIEEE()
	for _, plane := range p.Planes {
		for y := range plane.Height {
			sum.Write(plane.Pix[y*plane.Stride:][:plane.Width])
		}
	}
	return sum.Sum32()
}

func TestEverySampleIsLibde265s(t *testing.T) {
	var dec Decoder
	for _, p := range pictures {
		config, data := readStream(t, p.name)
		for _, c := range []struct {
			unfiltered bool
			want       uint32
		}{{false, p.sum}, {true, p.unfiltered}} {
			pic, err := dec.Decode(config, data, Options{Unfiltered: c.unfiltered})
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
				continue
			}
			if pic.Width != p.width || pic.Height != p.height {
				t.Errorf("%s: %d×%d pixels", p.name, pic.Width, pic.Height)
			}
			if got := sumOf(pic); got != c.want {
				t.Errorf("%s, unfiltered %v: sum %08x, want %08x", p.name, c.unfiltered, got, c.want)
			}
		}
	}
}

// A picture that is cut short anywhere ends with an error that says so, as far as that can be noticed.
func TestPicturesCutShort(t *testing.T) {
	var dec Decoder
	for _, name := range []string{"coarse", "slices", "wavefront"} {
		config, data := readStream(t, name)
		for n := 0; n < len(data)-8; n += 7 {
			_, err := dec.Decode(config, data[:n], Options{})
			var truncated *raster.TruncatedError
			var corrupt *raster.CorruptError // a slice may seem to end early
			if !errors.As(err, &truncated) && !errors.As(err, &corrupt) {
				t.Fatalf("%s cut to %d of %d bytes: %v", name, n, len(data), err)
			}
		}
	}
}

func TestPicturesLargerThanTheLimit(t *testing.T) {
	config, data := readStream(t, "coarse")
	var dec Decoder
	var large *raster.TooLargeError
	if _, err := dec.Decode(config, data, Options{MaxPixels: 200*136 - 1}); !errors.As(err, &large) {
		t.Errorf("%v, want a picture too large", err)
	}
	if _, err := dec.Decode(config, data, Options{MaxPixels: 200 * 136}); err != nil {
		t.Error(err)
	}
}

// What is not decoded is told before a sample is.
func TestUnsupportedStreams(t *testing.T) {
	config, data := readStream(t, "coarse")
	var dec Decoder
	inter := bytes.Clone(data)
	// first_slice_segment_in_pic_flag, no_output_of_prior_pics_flag, pps_id 0, slice_type: 011 for I, 010 for P, 1 for
	// B
	if inter[6]&0b00011100 != 0b00001100 {
		t.Fatalf("the slice's header begins with %08b", inter[6])
	}
	inter[6] |= 0b00010000
	var unsupported *raster.UnsupportedError
	if _, err := dec.Decode(config, inter, Options{}); !errors.As(err, &unsupported) {
		t.Errorf("a slice that is predicted from other pictures: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"coarse", "gray", "chroma422", "slices", "wavefront", "depth10",
		"random-bypass", "random-depths", "random-pcm", "random-rows", "random-segments", "random-tiles", "random-tiles422"} {
		stream, err := os.ReadFile(filepath.Join("testdata", name+".hevc"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		config, data := split(stream)
		before := bytes.Clone(data)
		var dec Decoder
		for _, unfiltered := range []bool{false, true} {
			p, err := dec.Decode(config, data, Options{MaxPixels: 1 << 16, Unfiltered: unfiltered})
			var truncated *raster.TruncatedError
			var corrupt *raster.CorruptError
			var unsupported *raster.UnsupportedError
			var large *raster.TooLargeError
			switch {
			case err == nil && (p.Width < 1 || p.Height < 1 || len(p.Planes) == 0):
				t.Errorf("%+v", p)
			case err != nil && !errors.As(err, &truncated) && !errors.As(err, &corrupt) && !errors.As(err, &unsupported) &&
				!errors.As(err, &large):
				t.Errorf("an error of another type: %v", err)
			}
		}
		if !bytes.Equal(data, before) {
			t.Error("the stream was changed")
		}
	})
}
