package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// turbo builds testdata/turbo.c and returns the program's path.
func turbo(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "turbo")
	out, err := exec.Command("cc", "-O2", "-o", program, "testdata/turbo.c", "-l:libjpeg.a").CombinedOutput()
	if err != nil {
		missing(t, "a C compiler and libjpeg62-turbo-dev (header and static library)", fmt.Errorf("%w\n%s", err, out))
	}
	return program
}

// missing ends a test that needs an external tool which is missing. It skips the test, or fails it under CI.
func missing(t testing.TB, what string, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("this test needs %s: %v", what, err)
	}
	t.Skipf("this test needs %s: %v", what, err)
}

// graymap is a component as turbo writes it.
type graymap struct {
	width, height int
	pix           []byte
}

// turboPlanes runs turbo in a mode ("planes" or "blocks") over a file. sound is false when libjpeg warned or gave up.
func turboPlanes(t testing.TB, program, mode string, scale Scale, data []byte) (planes []graymap, sound bool) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.jpg")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(program, mode, strconv.Itoa(int(Full/scale)), name).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for len(out) > 0 {
		var g graymap
		line, rest, ok := bytes.Cut(out, []byte("\n"))
		_, err := fmt.Sscanf(string(line), "P5 %d %d 255", &g.width, &g.height)
		if !ok || err != nil || len(rest) < g.width*g.height {
			t.Fatalf("turbo wrote %q", line)
		}
		g.pix, out = rest[:g.width*g.height], rest[g.width*g.height:]
		planes = append(planes, g)
	}
	return planes, err == nil
}

// farthest returns the largest difference between a plane and a graymap, 256 if they differ in size.
func farthest(p *Plane, g graymap) int {
	if p.Width != g.width || p.Height != g.height {
		return 256
	}
	far := 0
	for y := range g.height {
		for x, want := range g.pix[y*g.width:][:g.width] {
			got := p.Pix[y*p.Stride+x]
			far = max(far, int(got)-int(want), int(want)-int(got))
		}
	}
	return far
}

// equalTurbo fails the test unless a file decodes to what libjpeg-turbo's own transforms make of it: 1/1 and 1/8 to
// the bit, each component at its own size.
func equalTurbo(t *testing.T, program, what string, d *Decoder, data []byte) {
	t.Helper()
	var planes Planes
	for _, scale := range []Scale{Full, Eighth} {
		want, sound := turboPlanes(t, program, "blocks", scale, data)
		if !sound || len(want) == 0 {
			t.Fatalf("%s: libjpeg-turbo does not accept the file", what)
		}
		if err := d.Decode(&planes, data, Options{Scale: scale}); err != nil {
			t.Fatalf("%s %d/8: %v", what, scale, err)
		}
		compare(t, fmt.Sprintf("%s %d/8", what, scale), &planes, want)
	}
}

func TestPicturesEqualTurbo(t *testing.T) {
	program := turbo(t)
	r := rand.New(rand.NewPCG(7, 8))
	var d Decoder
	count := 1000
	if testing.Short() {
		count = 100
	}
	for i := range count {
		p := randomPicture(r)
		equalTurbo(t, program, fmt.Sprintf("picture %d, %v", i, p), &d, p.encode())
	}
}

// What jpeg_read_raw_data gives at 1/1 and 1/8 are the same planes, but that libjpeg-turbo transforms subsampled
// components to larger blocks at 1/8, so only the first is compared there.
func TestPicturesEqualTurboRawData(t *testing.T) {
	program := turbo(t)
	r := rand.New(rand.NewPCG(9, 10))
	var planes Planes
	for i := range 200 {
		p := newPicture(r, 1+r.IntN(200), 1+r.IntN(100), [2]int{1 + r.IntN(2), 1 + r.IntN(2)}, [2]int{1, 1}, [2]int{1, 1})
		if i%2 == 0 {
			p.progress(r)
		}
		data := p.encode()
		for _, scale := range []Scale{Full, Eighth} {
			if err := Decode(&planes, data, Options{Scale: scale}); err != nil {
				t.Fatal(err)
			}
			want, _ := turboPlanes(t, program, "planes", scale, data)
			if len(want) != 3 {
				t.Fatalf("%v: libjpeg-turbo gave %d planes", p, len(want))
			}
			if scale == Eighth {
				want = want[:1]
			}
			compare(t, fmt.Sprintf("picture %d, %v %d/8", i, p, scale), &planes, want)
		}
	}
}

// progression is a script for cjpeg that differs from libjpeg's own in all that may differ.
const progression = `
0: 0-0, 0, 2; 1,2: 0-0, 0, 1; 0: 1-2, 0, 3; 0: 3-63, 0, 1; 0: 0-0, 2, 1; 2: 1-63, 0, 0;
0: 1-2, 3, 2; 0: 1-2, 2, 1; 1: 1-63, 0, 2; 0: 1-63, 1, 0; 0: 0-0, 1, 0; 1: 1-63, 2, 1;
1,2: 0-0, 1, 0; 1: 1-63, 1, 0;
`

// Files as cjpeg and jpegtran write them.
func TestToolsEqualTurbo(t *testing.T) {
	program := turbo(t)
	for _, tool := range []string{"cjpeg", "jpegtran"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing(t, tool+" (libjpeg-turbo-progs)", err)
		}
	}
	r := rand.New(rand.NewPCG(11, 12))
	script, separate := filepath.Join(t.TempDir(), "script"), filepath.Join(t.TempDir(), "separate")
	for name, content := range map[string]string{script: progression, separate: "1; 0; 2;\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var d Decoder
	for quality := 1; quality <= 100; quality++ {
		for _, sampling := range []string{
			"1x1", "2x1", "2x2", "1x2", "4x1", "3x1", "1x4", "2x2,2x1,1x2", "1x1,2x2,1x1", "4x1,1x1,2x1",
		} {
			args := []string{"-quality", strconv.Itoa(quality), "-sample", sampling}
			args = append(args, [][]string{
				nil, {"-optimize"}, {"-dct", "fast"}, {"-grayscale"}, {"-rgb"},
				{"-progressive"}, {"-scans", script}, {"-scans", separate},
				{"-restart", "1"}, {"-restart", "3B"}, {"-restart", "7B", "-progressive"},
			}[r.IntN(11)]...)
			cmd := exec.Command("cjpeg", args...)
			cmd.Stdin = bytes.NewReader(pixmap(r, 1+r.IntN(120), 1+r.IntN(90)))
			data, err := cmd.Output()
			if err != nil {
				t.Fatalf("cjpeg %v: %v", args, err)
			}
			equalTurbo(t, program, fmt.Sprintf("cjpeg %v", args), &d, data)
			if testing.Short() {
				break
			}
			transform := []string{"-transpose", "-trim"}
			if r.IntN(2) == 0 {
				transform = append(transform, "-progressive")
			}
			cmd = exec.Command("jpegtran", transform...)
			cmd.Stdin = bytes.NewReader(data)
			if data, err = cmd.Output(); err != nil {
				continue // nothing is left of some small images when they are trimmed
			}
			equalTurbo(t, program, fmt.Sprintf("cjpeg %v, jpegtran %v", args, transform), &d, data)
		}
	}
}

// pixmap makes a PPM of shapes and noise.
func pixmap(r *rand.Rand, width, height int) []byte {
	out := fmt.Appendf(nil, "P6 %d %d 255\n", width, height)
	noise, fx, fy := 1+r.IntN(60), 1+r.Float64()*20, 1+r.Float64()*20
	for y := range height {
		for x := range width {
			v := 128 + 90*math.Sin(float64(x)/fx)*math.Cos(float64(y)/fy)
			if (x/16+y/24)%5 == 0 {
				v = 255 - v
			}
			for c := range 3 {
				out = append(out, byte(min(max(int(v)+c*x/4+r.IntN(noise)-noise/2, 0), 255)))
			}
		}
	}
	return out
}

// Whole photographs, where there are some.
func TestPhotographsEqualTurbo(t *testing.T) {
	program := turbo(t)
	var d Decoder
	for _, progressive := range []bool{false, true} {
		for name, data := range corpus(t, progressive) {
			equalTurbo(t, program, name, &d, data)
		}
	}
}
