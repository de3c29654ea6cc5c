package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
	"github.com/imagefarm/imagefarm/pkg/engine/pipeline"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// encoder is a way to encode a picture at a quality.
type encoder struct {
	name   string
	format string
	make   func(p *sample, quality int) ([]byte, error)
}

// sample is a picture to encode, as a file for each program and as luma to compare with.
type sample struct {
	png, ppm string
	data     []byte // the PNG
	luma     *picture.Plane
}

// qualities are those at which each encoder encodes. Between them sizes are interpolated.
var qualities = []int{30, 40, 50, 60, 70, 75, 80, 85, 90, 95}

// points are the qualities of the first encoder of a format that stand for a distance.
var points = map[string][2]int{"jpeg": {75, 85}, "webp": {75, 85}, "avif": {50, 65}}

// encoders compares sizes at the same distance: the bytes that each encoder takes, as a ratio to the first of its
// format.
func encoders(dir string, photos int, sides []string) error {
	if err := os.Setenv(native.Env, native.Native); err != nil {
		return err
	}
	e, err := pipeline.New(pipeline.Config{})
	if err != nil {
		return err
	}
	judge, err := reference.New(reference.Config{})
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "quality")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	files, err := filepath.Glob(filepath.Join(dir, "*.jpg"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no JPEG in %s", dir)
	}
	fmt.Println("| encoder | pixels | bytes at the smaller distance | at the larger | KB there |")
	fmt.Println("|---|--:|--:|--:|--:|")
	for _, side := range sides {
		var samples []*sample
		for i := 0; i < len(files); i += max(1, len(files)/photos) {
			s, err := sampleOf(e, files[i], side, tmp)
			if err != nil {
				return err
			}
			samples = append(samples, s)
		}
		for _, format := range []string{"jpeg", "webp", "avif"} {
			if len(side) > 3 && format == "avif" {
				continue // large pictures take minutes
			}
			if err := compareEncoders(judge, available(e, tmp, format), samples, side); err != nil {
				return err
			}
		}
	}
	return nil
}

// available returns the encoders of a format, the reference first, those of programs where they are installed.
func available(e engine.Engine, tmp, format string) []encoder {
	farm := func(name, settings string) encoder {
		return encoder{"farm, " + name, format, func(p *sample, q int) ([]byte, error) {
			return made(e, p.data, fmt.Sprintf("x=format:%s,quality:%d%s", format, q, settings))
		}}
	}
	program := func(name string, args ...string) encoder {
		quality := slices.IndexFunc(args, func(a string) bool { return strings.HasPrefix(a, "QUA") }) - 1
		return encoder{strings.Join(append([]string{filepath.Base(name)}, args[:quality]...), " "), format,
			func(p *sample, q int) ([]byte, error) {
				out := filepath.Join(tmp, "out."+format)
				full := make([]string, len(args))
				for i, a := range args {
					full[i] = strings.NewReplacer("QUALITY", strconv.Itoa(q), "QUANTIZER", strconv.Itoa((100-q)*63/100),
						"PPM", p.ppm, "PNG", p.png, "OUT", out).Replace(a)
				}
				if text, err := exec.Command(name, full...).CombinedOutput(); err != nil {
					return nil, fmt.Errorf("%s %s: %w: %s", name, strings.Join(full, " "), err, text)
				}
				return os.ReadFile(out)
			}}
	}
	var list []encoder
	switch format {
	case "jpeg":
		list = append(list, program("cjpeg", "-optimize", "-quality", "QUALITY", "-outfile", "OUT", "PPM"),
			program("cjpeg", "-progressive", "-quality", "QUALITY", "-outfile", "OUT", "PPM"))
		if moz := os.Getenv("MOZJPEG"); moz != "" {
			list = append(list, program(moz, "-quality", "QUALITY", "-outfile", "OUT", "PPM"))
		}
		list = append(list, program("cjpegli", "-q", "QUALITY", "PPM", "OUT", "--chroma_subsampling=420"),
			farm("default", ""), farm("progressive", ",progressive:yes"), farm("adaptive", ",adaptive:yes"),
			farm("adaptive, progressive", ",adaptive:yes,progressive:yes"))
	case "webp":
		list = append(list, program("cwebp", "-quiet", "-m", "4", "-q", "QUALITY", "PNG", "-o", "OUT"),
			farm("default", ""), farm("effort:6", ",effort:6"), farm("sharp-yuv", ",sharp-yuv:yes"))
	case "avif":
		list = append(list,
			program("avifenc", "-s", "8", "-y", "420", "--min", "QUANTIZER", "--max", "QUANTIZER", "PNG", "OUT"),
			farm("default", ""), farm("effort:5", ",effort:5"))
	}
	var there []encoder
	for _, e := range list {
		first := strings.Fields(e.name)[0]
		if _, err := exec.LookPath(first); first == "farm," || err == nil || os.Getenv("MOZJPEG") != "" &&
			first == filepath.Base(os.Getenv("MOZJPEG")) {
			there = append(there, e)
		} else {
			fmt.Fprintf(os.Stderr, "quality: %s is left out: it is not installed\n", first)
		}
	}
	return there
}

func made(e engine.Engine, data []byte, text string) ([]byte, error) {
	r, err := recipe.Parse(text)
	if err != nil {
		return nil, err
	}
	res, err := e.Transform(context.Background(), data, r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", text, err)
	}
	return res.Outputs[0].Data, nil
}

// sampleOf makes a lossless picture of a photograph, and writes it for programs to read.
func sampleOf(e engine.Engine, file, side, tmp string) (*sample, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &sample{}
	if s.data, err = made(e, data, "x=fit:"+side+",format:png"); err != nil {
		return nil, err
	}
	decoded, err := png.Decode(bytes.NewReader(s.data))
	if err != nil {
		return nil, err
	}
	img := image.NewNRGBA(decoded.Bounds())
	draw.Draw(img, img.Rect, decoded, image.Point{}, draw.Src)
	s.luma = reference.LumaOf(img, "jpeg", recipe.White)
	stem := filepath.Join(tmp, side+"-"+strings.TrimSuffix(filepath.Base(file), ".jpg"))
	s.png, s.ppm = stem+".png", stem+".ppm"
	ppm := fmt.Appendf(nil, "P6\n%d %d\n255\n", img.Rect.Dx(), img.Rect.Dy())
	for i := 0; i < len(img.Pix); i += 4 {
		ppm = append(ppm, img.Pix[i:i+3]...)
	}
	if err := os.WriteFile(s.png, s.data, 0o644); err != nil {
		return nil, err
	}
	return s, os.WriteFile(s.ppm, ppm, 0o644)
}

// curve is the distance and the size of a picture at each quality.
type curve struct{ distance, size []float64 }

// compareEncoders prints a row for each encoder.
func compareEncoders(judge *reference.Engine, list []encoder, samples []*sample, side string) error {
	var first []curve
	for _, e := range list {
		var curves []curve
		for _, s := range samples {
			var c curve
			for _, q := range qualities {
				data, err := e.make(s, q)
				if err != nil {
					return err
				}
				d, err := judge.Distance(context.Background(), data, s.luma)
				if err != nil {
					return fmt.Errorf("%s, quality %d: %w", e.name, q, err)
				}
				c.distance, c.size = append(c.distance, d), append(c.size, float64(len(data)))
			}
			curves = append(curves, c)
		}
		if first == nil {
			first = curves
		}
		var ratios [2]float64
		bytes := 0.0
		for i, q := range points[e.format] {
			for j, c := range curves {
				d := first[j].at(q)
				size := c.sizeFor(d)
				ratios[i] += math.Log(size/first[j].sizeFor(d)) / float64(len(curves))
				if i == 0 {
					bytes += size / float64(len(curves))
				}
			}
		}
		fmt.Printf("| %s: %s | %s | %.2f | %.2f | %.1f |\n", e.format, e.name, side, math.Exp(ratios[1]),
			math.Exp(ratios[0]), bytes/1000)
	}
	return nil
}

// at returns the distance at one of the qualities, or between two.
func (c curve) at(quality int) float64 {
	for i, q := range qualities {
		if q >= quality {
			if q == quality || i == 0 {
				return c.distance[i]
			}
			return math.Sqrt(c.distance[i] * c.distance[i-1])
		}
	}
	return c.distance[len(qualities)-1]
}

// sizeFor returns the size at a distance: between two qualities in the logarithms of both, beyond all of them as
// between the nearest two.
func (c curve) sizeFor(distance float64) float64 {
	i := 1
	for i < len(c.distance)-1 && c.distance[i] > distance {
		i++
	}
	d0, d1 := math.Log(c.distance[i-1]), math.Log(c.distance[i])
	s0, s1 := math.Log(c.size[i-1]), math.Log(c.size[i])
	if d0 == d1 {
		return c.size[i]
	}
	return math.Exp(s0 + (s1-s0)*(math.Log(distance)-d0)/(d1-d0))
}
