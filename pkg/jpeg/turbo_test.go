package jpeg

import (
	"bytes"
	"errors"
	"fmt"
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
		missing(t, "a C compiler and libjpeg-turbo's header and static library (libjpeg62-turbo-dev)", fmt.Errorf("%w\n%s", err, out))
	}
	return program
}

// missing ends a test for want of an external tool: skipped on a developer's machine, failed under CI.
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
	out, err := exec.Command(program, mode, strconv.Itoa(int(scale)), name).Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	for len(out) > 0 {
		var g graymap
		line, rest, ok := bytes.Cut(out, []byte("\n"))
		if _, err := fmt.Sscanf(string(line), "P5 %d %d 255", &g.width, &g.height); !ok || err != nil || len(rest) < g.width*g.height {
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

// TestPhotographsEqualTurbo compares whole photographs at the scales that are exact.
func TestPhotographsEqualTurbo(t *testing.T) {
	program := turbo(t)
	var d Decoder
	var p Planes
	for _, kind := range []string{"base", "prog"} {
		for name, data := range corpus(t, kind) {
			for _, scale := range []Scale{Full, Eighth} {
				if err := d.Decode(&p, data, Options{Scale: scale}); err != nil {
					t.Errorf("%s 1/%d: %v", name, scale, err)
					continue
				}
				want, _ := turboPlanes(t, program, "blocks", scale, data)
				for i, w := range want {
					if far := farthest(p.planes(3)[i], w); far != 0 {
						t.Errorf("%s 1/%d plane %d: %d off", name, scale, i, far)
					}
				}
			}
		}
	}
}
