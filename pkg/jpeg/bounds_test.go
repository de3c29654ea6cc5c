package jpeg

import (
	"bytes"
	"errors"
	"testing"
)

// Millions of empty scans fit into a file of usual size, and must not cost many times that.
func TestScansThatCannotCountAreNotListed(t *testing.T) {
	file := smallFile(t)
	h, err := DecodeHeader(file)
	if err != nil {
		t.Fatal(err)
	}
	scan := []byte{0xFF, markerSOS, 0, 8, 1, h.Components[0].ID, 0, 0, 63, 0}
	file = append(file[:len(file)-2], bytes.Repeat(scan, 100_000)...)
	var corrupt *CorruptError
	var planes Planes
	var got error
	if n := allocated(func() { got = Decode(&planes, file, Options{}) }); n > 2<<20 {
		t.Errorf("a file of %d bytes took %d", len(file), n)
	}
	if !errors.As(got, &corrupt) {
		t.Errorf("a component that is coded again and again: %v", got)
	}
}

func TestEmptySegmentsAreNotListedWithoutEnd(t *testing.T) {
	file := inserted(smallFile(t), bytes.Repeat([]byte{0xFF, markerCOM, 0, 2}, 100_000)...)
	var planes Planes
	if n := allocated(func() {
		if err := Decode(&planes, file, Options{}); err != nil {
			t.Error(err)
		}
	}); n > 2<<20 {
		t.Errorf("decoding took %d bytes", n)
	}
	if n := allocated(func() {
		if h, err := DecodeHeader(file); err != nil || len(h.Segments) != MaxSegments {
			t.Errorf("%d segments are listed, error %v", len(h.Segments), err)
		}
	}); n > 2<<20 {
		t.Errorf("the header took %d bytes", n)
	}
}
