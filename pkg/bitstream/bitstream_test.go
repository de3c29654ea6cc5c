package bitstream_test

import (
	"testing"

	"github.com/imagefarm/imagefarm/pkg/bitstream"
)

func TestFieldsFromTheHighestBit(t *testing.T) {
	r := bitstream.Reader{Data: []byte{0b1010_0110, 0xff, 0x12, 0x34}}
	if !r.Flag() || r.Number(3) != 0b010 {
		t.Error("the first four bits are not 1 and 010")
	}
	r.Skip(1)
	r.Align()
	if n := r.Number(8); n != 0xff {
		t.Errorf("the second byte is %#x", n)
	}
	if n := r.Number(16); n != 0x1234 || r.Short {
		t.Errorf("the last bytes are %#x, short %v", n, r.Short)
	}
}

func TestZerosAfterTheEnd(t *testing.T) {
	r := bitstream.Reader{Data: []byte{0xff}}
	if n := r.Number(12); n != 0xff0 || !r.Short {
		t.Errorf("twelve of eight bits are %#x, short %v", n, r.Short)
	}
	r = bitstream.Reader{Data: []byte{0xff}}
	if r.Skip(9); !r.Short || r.At != 8 || r.Flag() {
		t.Errorf("nine of eight bits passed over: at %d, short %v", r.At, r.Short)
	}
}
