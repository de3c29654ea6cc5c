package raster

import (
	"encoding/binary"
	"testing"
)

// Every sample becomes the nearest of 8 bits, in its own memory and at every place of a row.
func TestNarrow(t *testing.T) {
	for first := 0; first < 1<<16; first += 7 {
		n := 7 + first%5
		row := make([]byte, 0, 2*n)
		for i := range n {
			row = binary.BigEndian.AppendUint16(row, uint16(first+i))
		}
		Narrow(row[:n], row)
		for i, got := range row[:n] {
			v := (first + i) & 0xffff
			if want := (v*255*2 + 65535) / (65535 * 2); int(got) != want {
				t.Fatalf("sample %d of %d is %d, not %d", v, n, got, want)
			}
		}
	}
}
