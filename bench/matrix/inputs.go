package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// makeInputs makes, in a directory for each kind, the same photographs in every kind that the rows need. Kinds for
// which a program is missing are left out.
func makeInputs(ctx context.Context, work string, photos []string, rows []row) (map[string]string, error) {
	p3, adobe := filepath.Join(work, "p3.icc"), filepath.Join(work, "adobe.icc")
	for name, data := range map[string][]byte{p3: displayP3(), adobe: adobeRGB()} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return nil, err
		}
	}
	// Opacity rises from the left edge over an eighth of the picture, by a file beside what is made.
	withAlpha := func(options string) string {
		return "vips grey {out}.v $(vipsheader -f width {in}) $(vipsheader -f height {in}) --uchar && " +
			"vips linear {out}.v {out}.alpha.v 8 0 --uchar && " +
			"vips bandjoin '{in} {out}.alpha.v' '{out}" + options + "' && rm {out}.v {out}.alpha.v"
	}
	kinds := []struct{ kind, ext, command string }{ // in: the master, out: what is made
		{"jpeg", ".jpg", "vips copy {in} '{out}[Q=90,strip]'"},
		{"progressive", ".jpg", "vips copy {in} '{out}[Q=90,strip,interlace]'"},
		{"p3", ".jpg", "vips icc_transform {in} '{out}[Q=90]' " + p3 + " --input-profile srgb"},
		{"adobe", ".jpg", "vips icc_transform {in} '{out}[Q=90]' " + adobe + " --input-profile srgb"},
		{"cmyk", ".jpg", "vips icc_transform {in} '{out}[Q=90,strip]' cmyk --input-profile srgb"},
		{"png", ".png", "vips copy {in} '{out}[strip]'"},
		{"alpha", ".png", "vips bandjoin_const {in} '{out}[strip]' 255"},
		{"tiff", ".tif", "vips copy {in} '{out}[compression=lzw,predictor=horizontal,strip]'"},
		{"bmp", ".bmp", "convert {in} BMP3:{out}"},
		{"webp", ".webp", "vips copy {in} '{out}[Q=85,strip]'"},
		{"lossless-webp", ".webp", "vips copy {in} '{out}[lossless,effort=2,strip]'"},
		{"alpha-webp", ".webp", withAlpha("[Q=85,effort=2,strip]")},
		{"lossless-alpha-webp", ".webp", withAlpha("[lossless,effort=2,strip]")},
		{"heic", ".heic", "heif-enc -q 60 {in} -o {out}"},
		{"tiled-heic", ".heic", "w=$(vipsheader -f width {in}) h=$(vipsheader -f height {in}) && " +
			"vips embed {in} {out}.v 0 0 $(((w + 511) / 512 * 512)) $(((h + 511) / 512 * 512)) --extend copy && " +
			"vips dzsave {out}.v {out}.dz --depth one --tile-size 512 --overlap 0 --suffix .png && " +
			"for t in {out}_files/0/*.png; do heif-enc -q 60 $t -o $t.heic || exit 1; done && " +
			"go run ./bench/matrix/tiles $w $h {out}_files/0 >{out} && rm -r {out}.v {out}.dzi {out}_files"},
		{"avif", ".avif", "vips copy {in} '{out}[Q=60,effort=1,strip]'"},

		{"small", ".jpg", "vips thumbnail {in} '{out}[Q=85,strip]' 640 --height 480 --size force"},
		{"444", ".jpg", "vips copy {in} '{out}[Q=90,strip,subsample-mode=off]'"},
		{"422", ".jpg", "vips copy {in} {out}.ppm && cjpeg -quality 90 -sample 2x1 {out}.ppm >{out} && rm {out}.ppm"},
		{"gray", ".jpg", "vips colourspace {in} '{out}[Q=90,strip]' b-w"},
		{"arithmetic", ".jpg",
			"vips copy {in} {out}.ppm && cjpeg -quality 90 -arithmetic {out}.ppm >{out} && rm {out}.ppm"},
		{"restart", ".jpg", "vips copy {in} {out}.ppm && cjpeg -quality 90 -restart 1 {out}.ppm >{out} && rm {out}.ppm"},
		{"border", ".jpg", "vips embed {in} '{out}[Q=90,strip]' 100 100 " +
			"$(($(vipsheader -f width {in}) + 200)) $(($(vipsheader -f height {in}) + 200)) --extend white"},
		{"interlaced-png", ".png", "vips copy {in} '{out}[strip,interlace]'"},
		{"16-bit-png", ".png", "vips colourspace {in} '{out}[strip]' rgb16"},
		{"gray-png", ".png", "vips colourspace {in} '{out}[strip]' b-w"},
		{"palette-png", ".png", "vips copy {in} '{out}[strip,palette]'"},
		{"1-bit-png", ".png", "vips colourspace {in} {out}.v b-w && " +
			"vips copy {out}.v '{out}[strip,bitdepth=1]' && rm {out}.v"},
		{"gif", ".gif", "vips copy {in} {out}"},
		{"animated-gif", ".gif", "convert -delay 10 {in} -resize 640x $(seq -f '( -clone 0 -roll +%g+0 )' 4 4 76) {out}"},
		{"animated-webp", ".webp",
			"convert -delay 10 {in} -resize 640x $(seq -f '( -clone 0 -roll +%g+0 )' 4 4 76) {out}.gif && " +
				"vips copy '{out}.gif[n=-1]' '{out}[Q=80,effort=2]' && rm {out}.gif"},
		{"plain-tiff", ".tif", "vips copy {in} '{out}[strip]'"},
		{"planar-tiff", ".tif",
			"vips copy {in} '{out}.v.tif[strip]' && tiffcp -p separate {out}.v.tif {out} && rm {out}.v.tif"},
		{"deflate-tiff", ".tif", "vips copy {in} '{out}[compression=deflate,predictor=horizontal,strip]'"},
		{"zstd-tiff", ".tif", "vips copy {in} '{out}[compression=zstd,predictor=horizontal,strip]'"},
		{"packbits-tiff", ".tif", "vips copy {in} '{out}[compression=packbits,strip]'"},
		{"jpeg-tiff", ".tif", "vips copy {in} '{out}[compression=jpeg,Q=90,strip]'"},
		{"tiled-tiff", ".tif", "vips copy {in} '{out}[tile,tile-width=256,tile-height=256,strip]'"},
		{"pyramid-tiff", ".tif",
			"vips copy {in} '{out}[tile,pyramid,compression=jpeg,Q=90,tile-width=256,tile-height=256,strip]'"},
		{"16-bit-tiff", ".tif", "vips colourspace {in} '{out}[strip]' rgb16"},
		{"cmyk-tiff", ".tif", "vips icc_transform {in} '{out}[strip]' cmyk --input-profile srgb"},
		{"fax-tiff", ".tif", "vips colourspace {in} {out}.v b-w && " +
			"vips copy {out}.v '{out}[compression=ccittfax4,bitdepth=1,strip]' && rm {out}.v"},
		{"jxl", ".jxl", "vips copy {in} '{out}[Q=90,effort=3,strip]'"},
		{"lossless-jxl", ".jxl", "vips copy {in} '{out}[lossless,effort=3,strip]'"},
	}
	dirs := make(map[string]string)
	for _, k := range kinds {
		if !slices.ContainsFunc(rows, func(r row) bool { return r.input == k.kind }) {
			continue
		}
		dir := filepath.Join(work, "in", k.kind)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		dirs[k.kind] = dir
		for _, photo := range photos {
			stem := strings.TrimSuffix(filepath.Base(photo), filepath.Ext(photo))
			line := strings.NewReplacer("{in}", photo, "{out}", filepath.Join(dir, stem+k.ext)).Replace(k.command)
			if out, err := exec.CommandContext(ctx, "sh", "-c", line).CombinedOutput(); err != nil {
				if ctx.Err() != nil {
					return nil, ctx.Err()
				}
				fmt.Fprintf(os.Stderr, "matrix: %s is left out: %v: %s\n", k.kind, err, lastLine(out))
				delete(dirs, k.kind)
				break
			}
		}
	}
	return dirs, nil
}

// masters writes the largest photographs of the corpus, at 12 megapixels, as lossless sRGB.
func masters(ctx context.Context, work, corpus string, n int) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(corpus, "*.jpg"))
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(work, "masters")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var all []string
	for _, f := range found {
		if len(all) == n {
			break
		}
		w, h, err := sizeOf(f)
		if err != nil {
			return nil, err
		}
		if w*h < 11_000_000 {
			continue
		}
		out := filepath.Join(dir, strings.TrimSuffix(filepath.Base(f), ".jpg")+".png")
		if b, err := exec.CommandContext(ctx, "vips", "copy", f, out+"[compression=1,strip]").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("vips copy %s: %w: %s", f, err, lastLine(b))
		}
		all = append(all, out)
	}
	if len(all) < 2 {
		return nil, fmt.Errorf("%s has %d photographs of 11 megapixels or more; bench/corpus makes some", corpus, len(all))
	}
	return all, nil
}
