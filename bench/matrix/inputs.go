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
		{"avif", ".avif", "vips copy {in} '{out}[Q=60,effort=1,strip]'"},
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
