package tiff

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/raster"
)

// What libtiff's tiffcp writes in another way has the same rows.
func TestFilesOfLibtiff(t *testing.T) {
	tiffcp, err := exec.LookPath("tiffcp")
	if err != nil {
		t.Skip("tiffcp of libtiff-tools is not installed")
	}
	dir := t.TempDir()
	smooth := func(x, y, k int) uint64 { return uint64(x*2+y+50*k) & 255 }
	for name, c := range map[string]struct {
		spec   spec
		sample func(x, y, k int) uint64
		args   []string
	}{
		"bits": {spec{bits: 1, samples: 1}, scene(1, 3), []string{
			"-c g3", "-c g3:1d", "-c g3:2d", "-c g3:1d:fill", "-c g3:2d:fill", "-c g4", "-c g4 -r 11", "-c g3:2d -f lsb2msb",
			"-c g4 -f lsb2msb",
			"-c none -f lsb2msb", "-c packbits", "-c lzw -8",
		}},
		"gray": {spec{bits: 8, samples: 1}, scene(8, 3),
			[]string{"-c lzw:2", "-c zip:2", "-c zstd:2", "-c packbits -B", "-c lzw -t -w 32 -l 48 -8"}},
		"four": {spec{bits: 4, samples: 1}, scene(4, 3), []string{"-c lzw", "-c zip -t -w 32 -l 48"}},
		"RGB": {spec{bits: 8, samples: 3, photometric: rgb}, scene(8, 4), []string{
			"-c lzw:2", "-c zip:2 -r 7", "-c zip:2 -p separate", "-c lzw:2 -p separate -t -w 32 -l 32",
			"-c lzw -t -w 32 -l 32", "-c zstd:2 -t -w 64 -l 32 -B",
		}},
		"16 bits": {spec{bits: 16, samples: 3, photometric: rgb}, scene(16, 4),
			[]string{"-c lzw:2", "-c zip:2 -B", "-c zip:2 -8 -t -w 32 -l 32"}},
		"JPEG": {spec{bits: 8, samples: 3, photometric: rgb}, smooth,
			[]string{"-c jpeg:95", "-c jpeg:raw:95", "-c jpeg:r:95 -r 16", "-c jpeg:95 -t -w 64 -l 64"}},
		"JPEG, gray": {spec{bits: 8, samples: 1}, smooth, []string{"-c jpeg:95", "-c jpeg:95 -r 24"}},
	} {
		c.spec.width, c.spec.height, c.spec.compression = 201, 97, noCompression
		if c.spec.samples == 1 {
			c.spec.photometric = minIsBlack
		}
		in, out := filepath.Join(dir, "in.tif"), filepath.Join(dir, "out.tif")
		data := c.spec.encode(c.sample)
		if err := os.WriteFile(in, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, want, err := readAll(data, raster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, args := range c.args {
			if msg, err := exec.Command(tiffcp, append(strings.Fields(args), in, out)...).CombinedOutput(); err != nil {
				t.Logf("%s, tiffcp %s: %v: %s", name, args, err, msg) // built without that compression
				continue
			}
			data, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			_, got, err := readAll(data, raster.Options{})
			if err != nil {
				t.Errorf("%s, tiffcp %s: %v", name, args, err)
				continue
			}
			if strings.HasPrefix(name, "JPEG") {
				sum := 0.0
				for y := range want {
					for i := range want[y] {
						sum += math.Abs(float64(want[y][i]) - float64(got[y][i]))
					}
				}
				if mean := sum / float64(len(want)*len(want[0])); mean > 4 {
					t.Errorf("%s, tiffcp %s: the mean difference is %.1f", name, args, mean)
				}
				continue
			}
			for y := range want {
				if !bytes.Equal(want[y], got[y]) {
					t.Errorf("%s, tiffcp %s: row %d differs", name, args, y)
					break
				}
			}
		}
	}
}
