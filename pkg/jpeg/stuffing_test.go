package jpeg

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// stuffed returns random data of up to 200 bytes, more or less rich in FF and in what follows it.
func stuffed(r *rand.Rand) []byte {
	data := make([]byte, r.IntN(200))
	often := 1 + r.IntN(60)
	for i := range data {
		switch data[i] = byte(r.IntN(255)); {
		case r.IntN(often) == 0:
			data[i] = 0xFF
		case i > 0 && data[i-1] == 0xFF && r.IntN(8) > 0:
			data[i] = 0
		}
	}
	return data
}

func TestVectorStuffingEqualsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for range 200000 {
		src := stuffed(r)
		if got, want := nextMarker(src), plainNextMarker(src); got != want {
			t.Fatalf("marker of % x is at %d; plain: %d", src, got, want)
		}
		room := r.IntN(220)
		got, want := make([]byte, room), make([]byte, room)
		written, read := unstuff(got, src)
		if w, r := plainUnstuff(want, src); written != w || read != r || !bytes.Equal(got[:written], want[:w]) {
			t.Fatalf("% x into %d bytes:\ngot  %d of %d, % x\nwant %d of %d, % x", src, room, written, read, got[:written], w,
				r, want[:w])
		}
	}
}

func TestUnstuff(t *testing.T) {
	for _, c := range []struct {
		src     string
		room    int
		want    string
		read    int
		comment string
	}{
		{"", 5, "", 0, "nothing"},
		{"ab", 5, "ab", 2, "all of it"},
		{"abc", 2, "ab", 2, "no room"},
		{"a\xFF\x00b", 5, "a\xFFb", 4, "stuffed"},
		{"a\xFF\x00b", 2, "a\xFF", 3, "stuffed, and then no room"},
		{"a\xFF\x00b", 1, "a", 1, "no room for what was stuffed"},
		{"a\xFF\xD0b", 5, "a", 1, "a marker"},
		{"a\xFF\xFF\x00", 5, "a", 1, "a fill byte"},
		{"a\xFF", 5, "a", 1, "FF at the end"},
	} {
		dst := make([]byte, c.room)
		written, read := plainUnstuff(dst, []byte(c.src))
		if string(dst[:written]) != c.want || read != c.read {
			t.Errorf("%s: %q of %d bytes; want %q of %d", c.comment, dst[:written], read, c.want, c.read)
		}
	}
}
