package main

import (
	"fmt"
	"image"
	"image/draw"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/disintegration/imaging"
)

// quality returns the mean size of the outputs below dir in kilobytes, and their mean PSNR, as two cells of the table.
func (b *bench) quality(r row, dir string, plain bool) string {
	if dir == "" {
		return "– | –"
	}
	var size int64
	var files, compared int
	var decibels float64
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if n, _ := strconv.Atoi(d.Name()); n > 0 || d.Name() == ".imagefarm" { // copies 1, 2, … are the same pictures
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		files++
		if r.uncompared || plain {
			return nil
		}
		if db, err := b.compare(r, path); err == nil {
			decibels += db
			compared++
		} else {
			fmt.Fprintf(os.Stderr, "matrix: %s: %v\n", r.name, err)
		}
		return nil
	})
	if files == 0 {
		return "– | –"
	}
	cell := "–"
	if compared > 0 {
		cell = fmt.Sprintf("%.1f", decibels/float64(compared))
	}
	return fmt.Sprintf("%.0f | %s", float64(size)/1024/float64(files), cell)
}

// compare returns the PSNR of an output against the reference: the lossless photograph, filtered at full size.
func (b *bench) compare(r row, output string) (float64, error) {
	stem := strings.TrimSuffix(filepath.Base(output), filepath.Ext(output))
	stem = strings.TrimSuffix(stem, "_x")
	got, err := open(b.work, output)
	if err != nil {
		return 0, err
	}
	want, err := b.reference(r, stem)
	if err != nil {
		return 0, err
	}
	if got.Rect.Size() != want.Rect.Size() {
		return 0, fmt.Errorf("%s has %v pixels, not %v", output, got.Rect.Size(), want.Rect.Size())
	}
	var sum float64
	for i := range want.Pix {
		if i%4 == 3 {
			continue
		}
		d := float64(want.Pix[i]) - float64(got.Pix[i])
		sum += d * d
	}
	mean := sum / float64(len(want.Pix)/4*3)
	return 10 * math.Log10(255*255/mean), nil
}

// reference makes the row's picture of a lossless photograph at full size, and keeps it.
func (b *bench) reference(r row, stem string) (*image.NRGBA, error) {
	key := strings.NewReplacer(":", "_", ",", "_").Replace(pixels(r.recipe))
	kept := filepath.Join(b.work, "reference", key, stem+".png")
	if img, err := imaging.Open(kept); err == nil {
		return nrgba(img), nil
	}
	img, err := imaging.Open(filepath.Join(b.work, "masters", stem+".png"))
	if err != nil {
		return nil, err
	}
	side, err := strconv.Atoi(r.pillow[1])
	if err != nil {
		return nil, err
	}
	var made *image.NRGBA
	if r.pillow[0] == "fill" {
		made = imaging.Fill(img, side, side, imaging.Center, imaging.Lanczos)
	} else {
		size := img.Bounds().Size()
		scale := min(1, float64(side)/float64(max(size.X, size.Y)))
		w, h := math.Round(float64(size.X)*scale), math.Round(float64(size.Y)*scale)
		made = imaging.Resize(img, int(w), int(h), imaging.Lanczos)
	}
	switch r.pillow[0] {
	case "sharpen":
		made = imaging.Sharpen(made, 0.5)
	case "gray":
		made = imaging.Grayscale(made)
	}
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return nil, err
	}
	return made, imaging.Save(made, kept)
}

// open decodes an output. vips turns formats into PNG that the standard library does not read.
func open(work, name string) (*image.NRGBA, error) {
	if ext := filepath.Ext(name); ext == ".webp" || ext == ".avif" {
		png := filepath.Join(work, "opened.png")
		if b, err := exec.Command("vips", "copy", name, png+"[compression=1]").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("vips copy %s: %w: %s", name, err, lastLine(b))
		}
		name = png
	}
	img, err := imaging.Open(name)
	if err != nil {
		return nil, err
	}
	return nrgba(img), nil
}

func nrgba(img image.Image) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Src)
	return out
}
