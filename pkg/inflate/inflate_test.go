package inflate

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"errors"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"testing"
)

// samples are data of every kind that compressors treat differently.
func samples() map[string][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	skewed := make([]byte, 500_000)
	for i := range skewed {
		skewed[i] = byte(rng.ExpFloat64() * 6)
	}
	runs := make([]byte, 0, 400_000)
	for len(runs) < 390_000 {
		period := 1 + rng.IntN(9)
		pattern := noise[rng.IntN(1000):][:period]
		for range rng.IntN(200) {
			runs = append(runs, pattern...)
		}
	}
	var far []byte // matches from as far back as there may be
	for range 8 {
		far = append(far, noise[:32768]...)
	}
	return map[string][]byte{
		"nothing": {}, "one byte": {7}, "zeros": make([]byte, 200_000), "noise": noise, "skewed": skewed, "runs": runs,
		"far matches": far, "text": bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog; "), 3000),
	}
}

func compress(p []byte, level int) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(p)
	_ = w.Close()
	return b.Bytes()
}

// pieces returns a source that hands p out in pieces of a size.
func pieces(p []byte, size int) func() []byte {
	return func() []byte {
		if len(p) == 0 {
			return nil
		}
		n := min(size, len(p))
		piece := p[:n:n]
		p = p[n:]
		return piece
	}
}

func readAll(r *Reader, n int) ([]byte, error) {
	var got []byte
	for {
		p, err := r.Next(n)
		got = append(got, p...)
		if len(p) < n {
			return got, err
		}
	}
}

func TestStreamsOfEveryKindInPiecesOfEverySize(t *testing.T) {
	var r Reader
	for name, want := range samples() {
		for _, level := range []int{0, 1, 6, 9, flate.HuffmanOnly} {
			packed := compress(want, level)
			for _, size := range []int{1, 7, 8192, len(packed) + 1} {
				for _, n := range []int{1000, 70_001} {
					r.Reset(Zlib, n, pieces(packed, size))
					got, err := readAll(&r, n)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%s, level %d, pieces of %d, reads of %d: %d bytes, want %d; %v", name, level, size, n, len(got),
							len(want), err)
					}
				}
			}
			r.Reset(Raw, 999, pieces(packed[2:], 8192))
			if got, err := readAll(&r, 999); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s, level %d, raw: %d bytes, want %d; %v", name, level, len(got), len(want), err)
			}
		}
	}
}

func TestAStreamThatEndsEarlyGivesWhatCameBefore(t *testing.T) {
	want := samples()["skewed"][:3000]
	packed := compress(want, 6)
	var r Reader
	for cut := range packed {
		r.Reset(Zlib, 4096, pieces(packed[:cut], 100))
		got, err := readAll(&r, 4096)
		if !errors.Is(err, ErrTruncated) {
			t.Fatalf("cut at %d of %d: %v, want ErrTruncated", cut, len(packed), err)
		}
		if !bytes.HasPrefix(want, got) {
			t.Fatalf("cut at %d: what came is no beginning of the data", cut)
		}
		if cut > len(packed)-4 && len(got) != len(want) {
			t.Fatalf("cut within the checksum: %d bytes, want all %d", len(got), len(want))
		}
	}
}

func TestDamagedStreamsAreCorrupt(t *testing.T) {
	packed := compress(samples()["text"], 6)
	wrongSum := bytes.Clone(packed)
	wrongSum[len(wrongSum)-1] ^= 1
	for name, p := range map[string][]byte{
		"no zlib header":            {0x12, 0x34, 0x56},
		"another method":            {0x79, 0x9b, 0},
		"a preset dictionary":       {0x78, 0xbb, 0},
		"a wrong checksum":          wrongSum,
		"block type 3":              {0x78, 0x9c, 0x07, 0, 0},
		"a wrong complement":        {0x78, 0x9c, 0x01, 5, 0, 5, 0},
		"a match before the data":   {0x78, 0x9c, 0x03, 0x02, 0, 0},
		"too many literal codes":    {0x78, 0x9c, 0x05 | 31<<3, 0x00, 0, 0, 0, 0},
		"no code of code lengths":   {0x78, 0x9c, 0x05, 0x00, 0, 0, 0, 0, 0, 0},
		"an oversubscribed lengths": {0x78, 0x9c, 0x05, 0xe0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		var r Reader
		r.Reset(Zlib, 1<<18, pieces(p, 3))
		_, err := readAll(&r, 1<<18)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) {
			t.Errorf("%s: %v, want a CorruptError", name, err)
		}
	}
}

func TestCloseReadsTheRest(t *testing.T) {
	want := samples()["skewed"]
	packed := compress(want, 6)
	var r Reader
	r.Reset(Zlib, 100, pieces(packed, 1000))
	if _, err := r.Next(100); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(len(want)); err != nil {
		t.Error(err)
	}
	packed[len(packed)-1] ^= 1
	r.Reset(Zlib, 100, pieces(packed, 1000))
	if err := r.Close(len(want)); err == nil {
		t.Error("a wrong checksum went unnoticed")
	}
}

func TestAdlerEqualsTheStandardLibrarys(t *testing.T) {
	for name, p := range samples() {
		for _, cut := range []int{0, 1, 31, 33, 5552, 100_003} {
			p := p[min(cut, len(p)):]
			if got, want := updateAdler(1, p), adler32.Checksum(p); got != want {
				t.Errorf("%s: %08x, want %08x", name, got, want)
			}
			if got, want := plainUpdateAdler(1, p), adler32.Checksum(p); got != want {
				t.Errorf("%s, plain: %08x, want %08x", name, got, want)
			}
		}
	}
	ones := bytes.Repeat([]byte{255}, 1<<20)
	if got, want := updateAdler(1, ones), adler32.Checksum(ones); got != want {
		t.Errorf("all ones: %08x, want %08x", got, want)
	}
}

// FuzzAsTheStandardLibrary compares with compress/flate: the same data, and a fault wherever that sees one.
func FuzzAsTheStandardLibrary(f *testing.F) {
	for _, p := range samples() {
		for _, level := range []int{0, 1, 6, flate.HuffmanOnly} {
			f.Add(compress(p[:min(len(p), 2000)], level)[2:])
		}
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		const most = 1 << 20
		want, wantErr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), most))
		var r Reader
		r.Reset(Raw, 1<<14, pieces(packed, 97))
		var got []byte
		var err error
		for len(got) < most {
			var p []byte
			p, err = r.Next(min(1<<14, most-len(got)))
			got = append(got, p...)
			if len(p) < min(1<<14, most-len(got)+len(p)) {
				break
			}
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, compress/flate: %v", err, wantErr)
		}
		// Where both see a fault, either may see it earlier: a block without an end is refused here before it is decoded.
		if err == nil && !bytes.Equal(got, want) || !bytes.HasPrefix(got, want) && !bytes.HasPrefix(want, got) {
			t.Fatalf("%d bytes differ from compress/flate's %d", len(got), len(want))
		}
	})
}
