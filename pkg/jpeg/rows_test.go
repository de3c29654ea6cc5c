package jpeg

import (
	"bytes"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// readRows returns all samples of an image, the inks of CMYK as they come.
func readRows(t testing.TB, data []byte, accept bool) (*Rows, []byte, error) {
	t.Helper()
	r, err := OpenRows(data, RowOptions{AcceptTruncated: accept, Inks: func(dst, src []byte) { copy(dst, src) }})
	if err != nil {
		return nil, nil, err
	}
	w, h := r.Size()
	size := w * r.Channels() * r.Depth() / 8
	out := make([]byte, size*h)
	for y := range h {
		if err := r.ReadRow(out[y*size:]); err != nil {
			return r, nil, err
		}
	}
	if err := r.ReadRow(make([]byte, size)); !errors.Is(err, io.EOF) {
		t.Fatalf("behind the last row: %v", err)
	}
	return r, out, nil
}

// Of 8 bits the samples are those of the fast decoder, but for rounding, whatever the scans are.
func TestRowsAreThoseOfDecode(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for range 150 {
		p := randomPicture(r)
		p.adobe = 0
		for i := range p.parts {
			if p.parts[i].h != p.parts[0].h || p.parts[i].v != p.parts[0].v {
				p = newPicture(r, p.width, p.height, [2]int{1, 1}, [2]int{1, 1}, [2]int{1, 1})
				p.adobe = 0
				p.progress(r)
				break
			}
		}
		rows, got, err := readRows(t, p.encode(), false)
		if err != nil {
			t.Fatalf("%v: %v", p, err)
		}
		for i, plane := range p.planes(Full)[:rows.Channels()] {
			for at, want := range plane.pix {
				v := got[at*rows.Channels()+i]
				if len(p.parts) == 4 {
					want = 255 - want
				}
				if d := int(v) - int(want); d*d > 1 {
					t.Fatalf("%v: sample %d of component %d is %d, want %d", p, at, i, v, want)
				}
			}
		}
	}
}

// Of 12 bits the samples are what the formula of T.81 A.3.3 gives.
func TestRowsOf12Bits(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	for n := range 40 {
		factor := [2]int{1 + n%2, 1}
		p := newPicture(r, 1+r.IntN(70), 1+r.IntN(50), [][2]int{factor, factor, factor}[:1+n%2*2]...)
		p.adobe, p.twelve = 0, true
		for _, c := range p.parts {
			for i := range c.blocks {
				for k := range c.blocks[i] {
					c.blocks[i][k] *= 15
				}
			}
		}
		if n%3 == 0 {
			p.progress(r)
			p.twelve = true
		}
		rows, got, err := readRows(t, p.encode(), false)
		if err != nil || rows.Depth() != 16 {
			t.Fatalf("%v: %v", p, err)
		}
		channels := rows.Channels()
		for i, c := range p.parts {
			for y := range p.height {
				for x := range p.width {
					want := c.formula(x, y) * 65535 / 4095
					at := 2 * ((y*p.width+x)*channels + i)
					if v := float64(int(got[at])<<8 | int(got[at+1])); math.Abs(v-want) > 1 {
						t.Fatalf("%v: component %d at %d, %d is %v, want %v", p, i, x, y, v, want)
					}
				}
			}
		}
	}
}

// formula returns a sample of 12 bits.
func (c *part) formula(x, y int) float64 {
	b := &c.blocks[y/8*c.paddedX+x/8]
	sum := 0.0
	for k, v := range b {
		fx, fy := float64(zigzag[k]&7), float64(zigzag[k]>>3)
		term := float64(v) * float64(c.quant[k]) / 4
		for f, at := range map[*float64]int{&fx: x & 7, &fy: y & 7} {
			if *f == 0 {
				term *= math.Sqrt2 / 2
			}
			term *= math.Cos(float64(2*at+1) * *f * math.Pi / 16)
		}
		sum += term
	}
	return min(max(sum+2048, 0), 4095)
}

// Colour of half the resolution is interpolated: a ramp stays one.
func TestRowsInterpolateColour(t *testing.T) {
	p := newPicture(rand.New(rand.NewPCG(35, 36)), 64, 64, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
	p.adobe = 0
	for i := range p.parts {
		for b := range p.parts[i].blocks {
			p.parts[i].blocks[b] = block{}
			p.parts[i].quant[0] = 8
			if i == 1 {
				p.parts[i].blocks[b][0] = int16(b % p.parts[i].paddedX * 16)
			}
		}
	}
	_, got, err := readRows(t, p.encode(), false)
	if err != nil {
		t.Fatal(err)
	}
	// A block of half the resolution covers 16 pixels, so between two of them three quarters and a quarter of each mix.
	for x, want := range map[int]byte{0: 128, 14: 128, 15: 132, 16: 140, 17: 144, 31: 148, 32: 156, 63: 176} {
		if v := got[(20*64+x)*3+1]; v != want {
			t.Errorf("at %d: %d, want %d", x, v, want)
		}
	}
}

// arithmeticFiles are pictures of arithmetic coding that jpegtran wrote, sequential and progressive.
func arithmeticFiles(t testing.TB) (files [][]byte) {
	t.Helper()
	for _, name := range []string{"arithmetic.jpg", "arithmetic-progressive.jpg"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, data)
	}
	return files
}

// arithmeticPicture is the picture of the files.
func arithmeticPicture() *picture {
	return newPicture(rand.New(rand.NewPCG(37, 38)), 45, 38, [2]int{2, 2}, [2]int{1, 1}, [2]int{1, 1})
}

func TestArithmeticFiles(t *testing.T) {
	for i, data := range arithmeticFiles(t) {
		for _, scale := range scales {
			var planes Planes
			if err := Decode(&planes, data, Options{Scale: scale}); err != nil {
				t.Fatalf("file %d, %d/8: %v", i, scale, err)
			}
			compare(t, "arithmetic coding", &planes, arithmeticPicture().planes(scale))
		}
	}
}

// Whatever jpegtran codes arithmetically is decoded to the same planes as the file of Huffman codes that it was.
func TestArithmeticOfJpegtran(t *testing.T) {
	jpegtran, err := exec.LookPath("jpegtran")
	if err != nil {
		t.Skip(err)
	}
	r := rand.New(rand.NewPCG(39, 40))
	for n := range 60 {
		p := randomPicture(r)
		args := []string{"-arithmetic"}
		if n%2 > 0 {
			args = append(args, "-progressive")
		}
		if n%3 > 0 {
			args = append(args, "-restart", "3B")
		}
		cmd := exec.Command(jpegtran, args...)
		cmd.Stdin = bytes.NewReader(p.encode())
		data, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for _, scale := range scales {
			var planes Planes
			if err := Decode(&planes, data, Options{Scale: scale}); err != nil {
				t.Fatalf("%v, %v: %v", args, p, err)
			}
			compare(t, p.String(), &planes, p.planes(scale))
		}
	}
}

// A file of very many empty scans is refused before it takes long.
func TestManyArithmeticScans(t *testing.T) {
	p := newPicture(rand.New(rand.NewPCG(43, 44)), 16, 16, [2]int{1, 1})
	p.progressive, p.script = true, nil
	file := p.encode()
	file = file[:len(file)-2] // the end comes behind the scans
	file[bytes.Index(file, []byte{0xFF, markerSOF0 + 2})+1] = markerSOF0 + 10
	for bit := 13; bit >= 0; bit-- {
		high := byte(bit + 1)
		if bit == 13 {
			high = 0
		}
		for k := range byte(64) {
			file = segment(file, markerSOS, []byte{1, p.parts[0].id, 0, k, k, high<<4 | byte(bit)})
		}
		want := "sound"
		if (14-bit)*64 > maxArithmeticScans {
			want = "corrupt"
		}
		_, _, err := readRows(t, append(bytes.Clone(file), 0xFF, markerEOI), false)
		if kind := errorKind(t, err); kind != want {
			t.Fatalf("%d scans: %s (%v), want %s", (14-bit)*64, kind, err, want)
		}
	}
}

// A file that was cut is truncated, wherever; where that is accepted, the rows before the cut are right.
func TestRowsOfCutFiles(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	p := newPicture(r, 40, 90, [2]int{1, 1})
	p.twelve = true
	_, whole, err := readRows(t, p.encode(), false)
	if err != nil {
		t.Fatal(err)
	}
	files := append(arithmeticFiles(t), p.encode())
	p.progress(r)
	files = append(files, p.encode())
	for i, data := range files {
		for n := range len(data) - 2 {
			_, _, err := readRows(t, data[:n], false)
			if kind := errorKind(t, err); kind != "truncated" {
				t.Fatalf("file %d, %d bytes of %d: %s (%v)", i, n, len(data), kind, err)
			}
			rows, got, err := readRows(t, data[:n], true)
			if rows == nil {
				continue // its header is cut
			}
			if err != nil || len(rows.Warnings()) != 1 {
				t.Fatalf("file %d, %d bytes: %v, warnings %v", i, n, err, rows.Warnings())
			}
			if i == 2 && n > len(data)*2/3 && !bytes.Equal(got[:80*40], whole[:80*40]) {
				t.Fatalf("%d bytes of %d: the upper rows are not those of the whole file", n, len(data))
			}
		}
		if i < 2 { // an arithmetic coder leaves zeros at the end out, so it is not known whether some are missing
			continue
		}
		if _, got, err := readRows(t, data[:len(data)-2], false); err != nil || !bytes.Equal(got, whole) {
			t.Errorf("file %d without its end marker: %v", i, err)
		}
	}
}
