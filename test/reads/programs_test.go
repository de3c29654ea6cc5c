package reads

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// extensions by which programs know what to write.
var extensions = map[string]string{
	"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WebP": "webp", "TIFF": "tif", "BMP": "bmp", "HEIC": "heic", "AVIF": "avif",
	"JPEG XL": "jxl",
}

// write makes the file by a program. There is none where that is not installed, or cannot do it.
func (k kind) write(file, dir string) {
	in := filepath.Join(dir, k.of+".png")
	if k.by == "tiffcp" { // it copies TIFF files
		in = filepath.Join(dir, k.of+".tif")
		if _, err := os.Stat(in); err != nil {
			options := []string{"-compress", "None", in}
			if k.of == "bilevel" {
				options = append([]string{"-type", "Bilevel", "-depth", "1"}, options...)
			}
			_ = run("convert", append([]string{filepath.Join(dir, k.of+".png")}, options...)...)
		}
	}
	var args []string
	for _, a := range strings.Fields(k.how) {
		a = strings.ReplaceAll(a, "IN.ppm", filepath.Join(dir, k.of+".ppm"))
		a = strings.ReplaceAll(strings.ReplaceAll(a, "IN", in), "OUT", file)
		args = append(args, a)
	}
	program := map[string]string{"ImageMagick": "convert"}[k.by]
	if program == "" {
		program = k.by
	}
	if err := run(program, args...); err != nil {
		_ = os.Remove(file) // half of one would be no file of this kind
	}
}

// readByVIPS lets vips make PNGs of the files, in sRGB.
func readByVIPS(files []string) func(string) (image.Image, error) {
	if _, err := exec.LookPath("vips"); err != nil {
		return nil
	}
	for _, f := range files {
		_ = run("vips", "colourspace", f, f+".vips.png", "srgb")
	}
	return func(file string) (image.Image, error) { return readPNG(file + ".vips.png") }
}

func readPNG(name string) (image.Image, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return png.Decode(bytes.NewReader(data))
}

// pillow is a Python that has Pillow; empty where none is installed.
type pillow string

func newPillow() pillow {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if run(python, "-c", "import PIL") == nil {
			return pillow(python)
		}
	}
	return ""
}

// write makes the files that Pillow is to make, as far as it can.
func (p pillow) write(t *testing.T, list []kind, files []string, dir string) {
	t.Helper()
	script := "from PIL import Image\n"
	for i, k := range list {
		if k.by == "Pillow" {
			script += fmt.Sprintf("im, OUT = Image.open(%q), %q\ntry:\n    %s\nexcept Exception as e:\n    print(OUT, e)\n",
				filepath.Join(dir, k.of+".png"), files[i], k.how)
		}
	}
	p.run(t, script)
}

// read lets Pillow make PNGs of the files.
func (p pillow) read(t *testing.T, files []string, _ string) func(string) (image.Image, error) {
	t.Helper()
	if p == "" {
		return nil
	}
	script := "from PIL import Image, ImageOps\n"
	for _, f := range files {
		script += fmt.Sprintf("try:\n    im = ImageOps.exif_transpose(Image.open(%q))\n"+
			"    if im.mode.startswith('I'): im = im.point(lambda v: v / 257).convert('L')\n"+
			"    im.convert('RGBA').save(%q)\nexcept Exception as e:\n    print(%q, e)\n", f, f+".pillow.png", f)
	}
	p.run(t, script)
	return func(file string) (image.Image, error) { return readPNG(file + ".pillow.png") }
}

func (p pillow) run(t *testing.T, script string) {
	t.Helper()
	if p == "" {
		return
	}
	cmd := exec.Command(string(p), "-")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, out)
	}
	if len(out) > 0 {
		t.Logf("Pillow: %s", out)
	}
}

// ppm encodes a picture as cjpeg reads it.
func ppm(img image.Image) []byte {
	size := img.Bounds().Size()
	out := fmt.Appendf(nil, "P6\n%d %d\n255\n", size.X, size.Y)
	for y := range size.Y {
		for x := range size.X {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			out = append(out, c.R, c.G, c.B)
		}
	}
	return out
}
