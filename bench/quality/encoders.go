package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/cputime"
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
	colour   *image.NRGBA // the picture
}

// qualities are those at which each encoder encodes. Between them sizes are interpolated.
var qualities = []int{30, 40, 50, 60, 70, 75, 80, 85, 90, 95}

// points are the qualities of the first encoder of a format that stand for a distance.
var points = map[string][2]int{"jpeg": {75, 85}, "webp": {75, 85}, "avif": {50, 65}}

// encoders compares sizes at the same distance: the bytes that each encoder of the formats takes, as a ratio to the
// first of its format, beside which there are those whose names match.
func encoders(dir string, photos int, sides, formats []string, match *regexp.Regexp) error {
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
	files, err := filepath.Glob(filepath.Join(dir, "*.[jp][pn]g"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("no JPEG or PNG in %s", dir)
	}
	fmt.Println("| encoder | pixels | bytes at the smaller distance | at the larger | KB there | colour, dB | ms |")
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|")
	for _, side := range sides {
		var samples []*sample
		for i := 0; i < len(files); i += max(1, len(files)/photos) {
			s, err := sampleOf(e, files[i], side, tmp)
			if err != nil {
				return err
			}
			samples = append(samples, s)
		}
		for _, format := range formats {
			if len(side) > 3 && format == "avif" {
				continue // large pictures take minutes
			}
			if err := compareEncoders(judge, matching(available(e, tmp, format), match), samples, side); err != nil {
				return err
			}
		}
	}
	return nil
}

func matching(list []encoder, match *regexp.Regexp) []encoder {
	return append(list[:1:1], slices.DeleteFunc(slices.Clone(list[1:]), func(e encoder) bool {
		return !match.MatchString(e.name)
	})...)
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
			farm("adaptive, progressive", ",adaptive:yes,progressive:yes"), farm("trellis", ",trellis:yes"),
			farm("trellis, progressive", ",trellis:yes,progressive:yes"))
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
	s.luma, s.colour = reference.LumaOf(img, "jpeg", recipe.White), img
	stem := filepath.Join(tmp, side+"-"+filepath.Base(file))
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

// curve is the distance, the size and the PSNR of colour of a picture at each quality, and the processor time that the
// farm's encoder took for one file, seconds.
type curve struct {
	distance, size, colour []float64
	seconds                float64
}

// compareEncoders prints a row for each encoder.
func compareEncoders(judge *reference.Engine, list []encoder, samples []*sample, side string) error {
	var first []curve
	for _, e := range list {
		var curves []curve
		for _, s := range samples {
			var c curve
			for _, q := range qualities {
				begun := cputime.Used().Seconds()
				data, err := e.make(s, q)
				if err != nil {
					return err
				}
				c.seconds += (cputime.Used().Seconds() - begun) / float64(len(qualities))
				d, err := judge.Distance(context.Background(), data, s.luma)
				if err != nil {
					return fmt.Errorf("%s, quality %d: %w", e.name, q, err)
				}
				colour, err := colourPSNR(s.colour, data)
				if err != nil {
					return err
				}
				c.distance, c.size = append(c.distance, d), append(c.size, float64(len(data)))
				c.colour = append(c.colour, colour)
			}
			curves = append(curves, c)
		}
		if first == nil {
			first = curves
		}
		var ratios [2]float64
		bytes, colour, seconds := 0.0, 0.0, 0.0
		for _, c := range curves {
			seconds += c.seconds / float64(len(curves))
		}
		for i, q := range points[e.format] {
			for j, c := range curves {
				d := first[j].at(q)
				size := c.sizeFor(d)
				colour += (c.colourFor(d) - first[j].colourFor(d)) / float64(2*len(curves))
				ratios[i] += math.Log(size/first[j].sizeFor(d)) / float64(len(curves))
				if i == 0 {
					bytes += size / float64(len(curves))
				}
			}
		}
		took := "–"
		if strings.HasPrefix(e.name, "farm") {
			took = fmt.Sprintf("%.1f", 1000*seconds)
		}
		fmt.Printf("| %s: %s | %s | %.3f | %.3f | %.1f | %+.1f | %s |\n", e.format, e.name, side, math.Exp(ratios[1]),
			math.Exp(ratios[0]), bytes/1000, colour, took)
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
	i, part := c.between(distance)
	return math.Exp(math.Log(c.size[i-1])*(1-part) + math.Log(c.size[i])*part)
}

// colourFor returns the PSNR of colour at a distance, likewise.
func (c curve) colourFor(distance float64) float64 {
	i, part := c.between(distance)
	return c.colour[i-1]*(1-part) + c.colour[i]*part
}

// between returns between which quality and the one before it a distance lies, and how far from the latter.
func (c curve) between(distance float64) (i int, part float64) {
	i = 1
	for i < len(c.distance)-1 && c.distance[i] > distance {
		i++
	}
	d0, d1 := math.Log(c.distance[i-1]), math.Log(c.distance[i])
	if d0 == d1 {
		return i, 1
	}
	return i, (math.Log(distance) - d0) / (d1 - d0)
}

// colourPSNR returns how near the colour of an encoded picture is to the original, in decibels, over Cb and Cr. Luma,
// which the distance is about, does not count. Of formats that the standard library does not read it is NaN.
func colourPSNR(from *image.NRGBA, data []byte) (float64, error) {
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		if _, is := err.(jpeg.FormatError); is {
			return math.NaN(), nil
		}
		return 0, err
	}
	made := image.NewRGBA(from.Rect)
	draw.Draw(made, made.Rect, img, image.Point{}, draw.Src)
	sum := 0
	for i := 0; i < len(made.Pix); i += 4 {
		_, cb, cr := color.RGBToYCbCr(made.Pix[i], made.Pix[i+1], made.Pix[i+2])
		_, wantCb, wantCr := color.RGBToYCbCr(from.Pix[i], from.Pix[i+1], from.Pix[i+2])
		b, r := int(cb)-int(wantCb), int(cr)-int(wantCr)
		sum += b*b + r*r
	}
	return 10 * math.Log10(255*255*float64(len(made.Pix)/2)/float64(max(sum, 1))), nil
}
