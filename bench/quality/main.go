// Command quality says how near thumbnails are to a reference.
//
//	quality REFERENCE DIR...
//
// REFERENCE and each DIR hold thumbnails of the same photographs, named alike up to the extension, in any
// subdirectories: photo01_thumbnail256.png is compared with photo01_thumbnail256.jpg. For each size and DIR it prints
// the mean and the lowest PSNR over red, green and blue, in decibels: more is nearer, 0.3 dB nobody sees. Pictures
// whose width or height is another count as wrong and are listed.
//
//	quality -encoders [-photos N] [-sides 256,1280] [-formats jpeg,webp,avif] [-match REGEXP] DIR
//
// compares encoders: how many bytes each takes for pictures that look alike, as a ratio to the first of its format,
// over N of the JPEGs and PNGs in DIR. The distance sees no colour; how near that is, is told beside it, as PSNR over
// Cb and Cr less that of the first encoder, mean of both distances. Of the farm's encoders it tells the processor time
// of a file, reading the PNG included. How different pictures look is measured by package ssim. Two distances
// stand for all:
// those that the first encoder has at two of its qualities. The encoders are the farm's with its settings, and cjpeg,
// cjpegli, cwebp and avifenc where they are installed; the environment variable MOZJPEG names mozjpeg's cjpeg.
package main

import (
	"flag"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
)

func main() {
	compares := flag.Bool("encoders", false, "compare encoders: size at the same distance")
	photos := flag.Int("photos", 8, "with -encoders: how many photographs")
	sides := flag.String("sides", "256,1280", "with -encoders: sizes of the pictures")
	formats := flag.String("formats", "jpeg,webp,avif", "with -encoders: formats to compare")
	match := flag.String("match", "", "with -encoders: a regular expression of the encoders' names")
	flag.Parse()
	var err error
	switch {
	case *compares && flag.NArg() == 1:
		err = encoders(flag.Arg(0), *photos, strings.Split(*sides, ","), strings.Split(*formats, ","),
			regexp.MustCompile(*match))
	case !*compares && flag.NArg() >= 2:
		err = run(flag.Arg(0), flag.Args()[1:])
	default:
		fmt.Fprintln(os.Stderr, "usage: quality REFERENCE DIR..., or quality -encoders DIR")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "quality:", err)
		os.Exit(1)
	}
}

func run(reference string, dirs []string) error {
	want, err := thumbnails(reference)
	if err != nil {
		return err
	}
	if len(want) == 0 {
		return fmt.Errorf("no thumbnail in %s", reference)
	}
	fmt.Println("| thumbnails of | size | mean PSNR, dB | lowest | compared | missing or of another size |")
	fmt.Println("|---|--:|--:|--:|--:|--:|")
	for _, dir := range dirs {
		got, err := thumbnails(dir)
		if err != nil {
			return err
		}
		if err := compare(filepath.Base(dir), want, got); err != nil {
			return err
		}
	}
	return nil
}

// thumbnails maps the stem of every file name to its path.
func thumbnails(dir string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := filepath.Base(path)
		if strings.Contains(name, "_thumbnail") {
			found[strings.TrimSuffix(name, filepath.Ext(name))] = path
		}
		return nil
	})
	return found, err
}

func compare(name string, want, got map[string]string) error {
	bySize := map[string][]string{}
	for stem := range want {
		size := stem[strings.LastIndex(stem, "_thumbnail")+len("_thumbnail"):]
		bySize[size] = append(bySize[size], stem)
	}
	sizes := make([]string, 0, len(bySize))
	for s := range bySize {
		sizes = append(sizes, s)
	}
	sort.Slice(sizes, func(i, j int) bool {
		return len(sizes[i]) > len(sizes[j]) || len(sizes[i]) == len(sizes[j]) && sizes[i] > sizes[j]
	})
	for _, size := range sizes {
		sum, lowest, n, wrong := 0.0, math.Inf(1), 0, 0
		sort.Strings(bySize[size])
		for _, stem := range bySize[size] {
			if got[stem] == "" {
				wrong++
				continue
			}
			v, err := psnr(want[stem], got[stem])
			if err != nil {
				return err
			}
			if math.IsNaN(v) {
				wrong++
				fmt.Fprintf(os.Stderr, "quality: %s has not the size of %s\n", got[stem], want[stem])
				continue
			}
			sum, lowest, n = sum+v, math.Min(lowest, v), n+1
		}
		if n > 0 {
			fmt.Printf("| %s | %s | %.1f | %.1f | %d | %d |\n", name, size, sum/float64(n), lowest, n, wrong)
		}
	}
	return nil
}

// psnr is NaN when the pictures are not of one size.
func psnr(a, b string) (float64, error) {
	x, err := load(a)
	if err != nil {
		return 0, err
	}
	y, err := load(b)
	if err != nil {
		return 0, err
	}
	if x.Rect != y.Rect {
		return math.NaN(), nil
	}
	sum := 0.0
	for i := range x.Pix {
		d := float64(x.Pix[i]) - float64(y.Pix[i])
		sum += d * d // alpha is alike and adds nothing
	}
	mse := sum / float64(len(x.Pix)/4*3)
	return 10 * math.Log10(255*255/math.Max(mse, 1e-3)), nil
}

func load(name string) (*image.RGBA, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, format, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if y, ok := m.(*image.YCbCr); ok && format == "webp" {
		expand(y)
	}
	out := image.NewRGBA(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
	draw.Draw(out, out.Rect, m, m.Bounds().Min, draw.Src)
	return out, nil
}

// expand takes samples from the studio range, in which WebP keeps them, to the full range that image.YCbCr means.
func expand(m *image.YCbCr) {
	stretch := func(p []uint8, from, k, to float64) {
		for i, v := range p {
			p[i] = uint8(math.Min(math.Max((float64(v)-from)*k+to+0.5, 0), 255))
		}
	}
	stretch(m.Y, 16, 255.0/219, 0)
	stretch(m.Cb, 128, 255.0/224, 128)
	stretch(m.Cr, 128, 255.0/224, 128)
}
