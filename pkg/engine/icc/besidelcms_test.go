package icc_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/icc"
)

// lcms converts device colours, in the units of transicc: 0 to 255, and percent of inks.
func lcms(t *testing.T, profile, to string, colors [][]float64) [][3]float64 {
	t.Helper()
	var in, out bytes.Buffer
	for _, c := range colors {
		for _, v := range c {
			fmt.Fprintf(&in, "%.6f ", v)
		}
		fmt.Fprintln(&in)
	}
	cmd := exec.Command("transicc", "-n", "-s", "-t0", "-i", profile, "-o", to)
	cmd.Stdin, cmd.Stdout = &in, &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	var made [][3]float64
	for line := range strings.Lines(out.String()) {
		var v [3]float64
		if n, _ := fmt.Sscan(line, &v[0], &v[1], &v[2]); n == 3 {
			made = append(made, v)
		}
	}
	if len(made) != len(colors) {
		t.Fatalf("transicc made %d colours of %d: %s", len(made), len(colors), &out)
	}
	return made
}

// lab returns L*a*b* under D65 of sRGB levels.
func lab(rgb [3]float64) [3]float64 {
	var l [3]float64
	for i, v := range rgb {
		v = min(max(v/255, 0), 1)
		if l[i] = v / 12.92; v > 0.04045 {
			l[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	f := func(x float64) float64 {
		if x > 216.0/24389 {
			return math.Cbrt(x)
		}
		return (24389.0/27*x + 16) / 116
	}
	x := f((0.4124564*l[0] + 0.3575761*l[1] + 0.1804375*l[2]) / 0.95047)
	y := f(0.2126729*l[0] + 0.7151522*l[1] + 0.0721750*l[2])
	z := f((0.0193339*l[0] + 0.1191920*l[1] + 0.9503041*l[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

// difference returns ΔE of 1976.
func difference(a, b [3]float64) float64 {
	p, q := lab(a), lab(b)
	return math.Sqrt((p[0]-q[0])*(p[0]-q[0]) + (p[1]-q[1])*(p[1]-q[1]) + (p[2]-q[2])*(p[2]-q[2]))
}

// levels is a grid over a device's channels, of n steps, which do not fall on the nodes of tables.
func levels(channels, n int) [][]byte {
	all := [][]byte{nil}
	for range channels {
		var next [][]byte
		for _, c := range all {
			for i := range n {
				next = append(next, append(bytes.Clone(c), byte(i*255/(n-1))))
			}
		}
		all = next
	}
	return all
}

func TestColorsAreThoseOfLittleCMS(t *testing.T) {
	if _, err := exec.LookPath("transicc"); err != nil {
		t.Skip("transicc is not installed (Debian: liblcms2-utils)")
	}
	profiles, _ := filepath.Glob("/usr/share/color/icc/*/*.icc")
	more, _ := filepath.Glob("/usr/share/color/icc/*.icc")
	profiles = append(profiles, more...)
	dir := t.TempDir()
	p3 := filepath.Join(dir, "p3.icc")
	if err := os.WriteFile(p3, icc.DisplayP3.Profile(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, data := range enginetest.TableProfiles() {
		file := filepath.Join(dir, strings.ReplaceAll(name, " ", "-")+".icc")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		profiles = append(profiles, file)
	}
	for _, file := range profiles {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := icc.Parse(data)
		if err != nil || !p.Usable() {
			t.Logf("%s: %v, %s", file, err, p.Trouble)
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			besideLCMS(t, file, p, icc.SRGB, "*sRGB")
			if filepath.Dir(file) == dir {
				besideLCMS(t, file, p, icc.DisplayP3, p3)
			}
		})
	}
}

func besideLCMS(t *testing.T, file string, p *icc.Profile, to icc.Target, profile string) {
	t.Helper()
	channels, steps := map[string]int{icc.Gray: 1, icc.RGB: 3, icc.CMYK: 4}[p.Space], 14
	if channels == 4 {
		steps = 8
	}
	colors := levels(channels, steps)
	var units [][]float64
	for _, c := range colors {
		var u []float64
		for _, v := range c {
			scale := 1.0
			if p.Space == icc.CMYK {
				scale = 100.0 / 255
			}
			u = append(u, float64(v)*scale)
		}
		units = append(units, u)
	}
	want := lcms(t, file, profile, units)
	conversion := p.To(to)
	var worst, sum float64
	for i, c := range colors {
		var got [3]float64
		for k, v := range enginetest.Converted(conversion, c) {
			got[k] = float64(v) + min(max(want[i][k]-float64(v), -0.5), 0.5) // what 8 bits cannot tell
		}
		d := difference(got, want[i])
		sum += d
		if worst = max(worst, d); d > 1 {
			t.Errorf("%v becomes %.1f, not %.1f: ΔE %.2f", c, got, want[i], d)
		}
	}
	t.Logf("ΔE mean %.3f, worst %.2f of %d colours", sum/float64(len(colors)), worst, len(colors))
}
