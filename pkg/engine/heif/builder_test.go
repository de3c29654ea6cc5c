package heif

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/isobmff"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// part is an item of a file that a test builds.
type part struct {
	id         int
	kind       string
	properties []isobmff.Box
	refs       map[string][]int
	data       []byte
}

// codedPart returns the primary picture of a file of testdata as an item, with its size and its codec's configuration.
func codedPart(t testing.TB, name string, id int) part {
	t.Helper()
	f, err := Parse(readFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	p := part{id: id, kind: f.primary.kind, data: f.primary.bytes()}
	for _, b := range f.primary.properties {
		switch b.Kind {
		case "ispe", "hvcC", "av1C":
			p.properties = append(p.properties, b)
		}
	}
	return p
}

func (p part) with(properties ...isobmff.Box) part {
	p.properties = append(append([]isobmff.Box(nil), p.properties...), properties...)
	return p
}

// sized returns the part with another size in its ispe.
func (p part) sized(w, h int) part {
	p.properties = append([]isobmff.Box(nil), p.properties...)
	for i := range p.properties {
		if p.properties[i].Kind == "ispe" {
			p.properties[i] = ispe(w, h)
		}
	}
	return p
}

func numbers(values ...int) []byte {
	var b []byte
	for _, v := range values {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

func ispe(w, h int) isobmff.Box { return isobmff.Box{Kind: "ispe", Data: numbers(0, w, h)} }

func clap(w, h, x, y int) isobmff.Box {
	return isobmff.Box{Kind: "clap", Data: numbers(w, 1, h, 1, x, 1, y, 1)}
}

func alphaKind() isobmff.Box {
	return isobmff.Box{Kind: "auxC", Data: []byte("\x00\x00\x00\x00urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\x00")}
}

// grid returns a grid item of rows × columns tiles.
func grid(id, rows, columns, w, h int, tiles ...int) part {
	return part{
		id: id, kind: "grid", properties: []isobmff.Box{ispe(w, h)}, refs: map[string][]int{"dimg": tiles},
		data: []byte{0, 0, byte(rows - 1), byte(columns - 1), byte(w >> 8), byte(w), byte(h >> 8), byte(h)},
	}
}

// build returns a file of items, the first of which is the primary. Every item has a list of properties of its own.
func build(parts ...part) []byte {
	short := func(n int) []byte { return []byte{byte(n >> 8), byte(n)} }
	full := []byte{0, 0, 0, 0}
	iinf := append(append([]byte(nil), full...), short(len(parts))...)
	iloc := append([]byte{0, 0, 0, 0, 0x44, 0}, short(len(parts))...)
	iref := append([]byte(nil), full...)
	var ipco, ipma, data []byte
	number := 0
	var places []int
	for _, p := range parts {
		infe := append([]byte{2, 0, 0, 0}, short(p.id)...)
		iinf = appendBox(iinf, "infe", append(append(infe, 0, 0), p.kind+"\x00"...))
		list := append([]byte{0, 0, 0, 0, 0, 0, 0, 1}, short(p.id)...)
		list = append(list, byte(len(p.properties)))
		for _, b := range p.properties {
			number++
			ipco = appendBox(ipco, b.Kind, b.Data)
			list = append(list, byte(number))
		}
		ipma = appendBox(ipma, "ipma", list)
		for kind, to := range p.refs {
			b := append(short(p.id), short(len(to))...)
			for _, id := range to {
				b = append(b, short(id)...)
			}
			iref = appendBox(iref, kind, b)
		}
		iloc = append(iloc, short(p.id)...)
		iloc = append(append(iloc, 0, 0), short(1)...)
		places = append(places, len(iloc))
		iloc = append(iloc, numbers(len(data), len(p.data))...)
		data = append(data, p.data...)
	}
	meta := append([]byte(nil), full...)
	meta = appendBox(meta, "pitm", append(append([]byte(nil), full...), short(parts[0].id)...))
	meta = appendBox(meta, "iinf", iinf)
	meta = appendBox(meta, "iref", iref)
	meta = appendBox(meta, "iprp", append(appendBox(nil, "ipco", ipco), ipma...))
	meta = appendBox(meta, "iloc", iloc)
	out := appendBox(nil, "ftyp", []byte("mif1\x00\x00\x00\x00mif1heic"))
	out = appendBox(out, "meta", meta)
	for _, at := range places { // iloc is the last box: the data come 8 bytes after its end
		b := out[len(out)-len(iloc)+at:]
		binary.BigEndian.PutUint32(b, binary.BigEndian.Uint32(b)+uint32(len(out)+8))
	}
	return appendBox(out, "mdat", data)
}
