package heif

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/isobmff"
)

// stream returns a byte stream of HEVC, whose file's name tells chroma and depth, as an item.
func stream(t *testing.T, path string, w, h int) part {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	config := make([]byte, 23)
	config[0], config[16], config[21] = 1, 1, 3
	for word, chroma := range map[string]byte{"gray": 0, "422": 2, "444": 3} {
		if strings.Contains(path, word) {
			config[16] = chroma
		}
	}
	for word, depth := range map[string]byte{"10.": 2, "12.": 4} {
		if strings.Contains(path, word) {
			config[17], config[18] = depth, depth
		}
	}
	p := part{id: 1, kind: "hvc1"}
	for unit := range bytes.SplitSeq(data, []byte{0, 0, 1}) {
		unit = bytes.TrimRight(unit, "\x00")
		if len(unit) < 3 {
			continue
		}
		if kind := unit[0] >> 1; kind >= 32 && kind <= 34 {
			config[22]++
			config = append(config, kind, 0, 1)
			config = append(binary.BigEndian.AppendUint16(config, uint16(len(unit))), unit...)
			continue
		}
		p.data = append(binary.BigEndian.AppendUint32(p.data, uint32(len(unit))), unit...)
	}
	p.properties = []isobmff.Box{ispe(w, h), {Kind: "hvcC", Data: config}}
	return p
}

// Package hevc decodes every sample as libde265 does. libheif in WebAssembly makes 4:4:4 of chroma of less resolution,
// and that again of it, by which some samples change.
func TestOwnCodecAgreesWithTheSandbox(t *testing.T) {
	parts := make(map[string]part)
	files, err := filepath.Glob("testdata/*.heic")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if p := codedPart(t, filepath.Base(name), 1); p.kind == "hvc1" {
			parts[name] = p
		}
	}
	streams, err := filepath.Glob("../../hevc/testdata/*.hevc")
	if err != nil || len(streams) < 20 {
		t.Fatalf("%d streams, %v", len(streams), err)
	}
	for _, name := range streams {
		if !strings.Contains(name, "random") { // their sizes differ
			parts[name] = stream(t, name, 200, 136)
		}
	}
	sandbox, err := newWASM("hvc1")
	if err != nil {
		t.Fatal(err)
	}
	defer sandbox.close()
	for name, p := range parts {
		f, err := Parse(build(p))
		if err != nil {
			t.Fatal(err)
		}
		w, h := f.primary.size()
		told := toldTo(sandbox, color{})
		want, err := sandbox.decode(f.primary, told, w, h, fidelity{})
		if err != nil {
			t.Errorf("%s in WebAssembly: %v", name, err)
			continue
		}
		o := &own{}
		got, err := o.decode(f.primary, told, w, h, fidelity{})
		if err != nil || o.standIn != nil {
			t.Errorf("%s: %v, or it is not decoded here", name, err)
			continue
		}
		if len(want.Planes) > len(got.Planes) { // gray, which libheif converts
			want.Planes = want.Planes[:1]
		}
		for i := range want.Planes {
			a, b := got.Planes[i], want.Planes[i]
			if a.Width != b.Width || a.Height != b.Height || a.Across != b.Across || a.Down != b.Down {
				t.Fatalf("%s: plane %d is %d×%d, %v, %v; want %d×%d, %v, %v", name, i, a.Width, a.Height, a.Across, a.Down,
					b.Width, b.Height, b.Across, b.Down)
			}
			exact := i == 0 || b.Width == w
			if n, sum := difference(a.Pix, b.Pix); exact && n > 0 || sum > len(b.Pix)/2 {
				t.Errorf("%s: plane %d differs in %d of %d samples, by %d", name, i, n, len(b.Pix), sum)
			}
		}
	}
}

// difference returns how many samples differ, and by how much together.
func difference(a, b []byte) (count, sum int) {
	for i := range a {
		if d := int(a[i]) - int(b[i]); d != 0 {
			count++
			sum += max(d, -d)
		}
	}
	return count, sum
}

// A picture of a kind that package hevc does not know goes to libheif.
func TestLibheifStandsInForTheOwnCodec(t *testing.T) {
	p := codedPart(t, "color-200x130.heic", 1)
	for i, b := range p.properties {
		if b.Kind == "hvcC" { // whatever it is used for, it is not decoded here
			p.properties[i].Data = withExtendedSequence(b.Data)
		}
	}
	f, err := Parse(build(p))
	if err != nil {
		t.Fatal(err)
	}
	o := &own{}
	defer o.close()
	got, err := o.decode(f.primary, color{primaries: 1, transfer: 13, matrix: 6, full: true}, 200, 130, fidelity{})
	if err != nil {
		t.Fatal(err)
	}
	if o.standIn == nil {
		t.Error("it is decoded here")
	}
	shows(t, "luma", &got.Planes[0], 200, 130, pattern)
}

// withExtendedSequence returns a configuration with another sequence parameter set before those that it has, which has
// an extension that is not yet defined, and which no picture uses.
func withExtendedSequence(config []byte) []byte {
	unit := []byte{0x42, 0x01}
	bits := "0000 000 1" + // numbers of the video's set and of layers
		"00 0 00011 01100000000000000000000000000000" + strings.Repeat("0", 48) + "00011110" + // profile Main, level 1
		"0001010 010 0001001 0001001 0" + // set 9, 4:2:0, 8×8 samples, no window
		"1 1 1 1 111" + // depths, what pictures are kept
		"1 010 1 1 1 1" + // blocks
		"0000 1 000 0" + // no tools, no references, no usability information
		"1 0000 0001 1" // an extension
	bits = strings.ReplaceAll(bits, " ", "")
	for bits += "1"; len(bits)%8 != 0; bits += "0" {
	}
	for ; bits != ""; bits = bits[8:] {
		b, _ := strconv.ParseUint(bits[:8], 2, 8)
		unit = append(unit, byte(b))
		if n := len(unit); n > 3 && unit[n-1] <= 3 && unit[n-2]|unit[n-3] == 0 { // no start code
			unit = append(unit[:n-1], 3, byte(b))
		}
	}
	out := bytes.Clone(config[:23])
	out[22]++
	out = append(out, 33, 0, 1, 0, byte(len(unit)))
	return append(append(out, unit...), config[23:]...)
}
