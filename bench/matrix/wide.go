package main

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	pngfile "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// wideRows are the other operations, on JPEG, and the other kinds of input, each made into a thumbnail.
func wideRows() []row {
	chain := func(recipe string) row { // by libvips
		return row{recipe: recipe, save: jpeg85, chain: true}
	}
	box := func(size, recipe, save string, options ...string) row { // by vipsthumbnail
		return row{recipe: recipe, save: save, vips: append([]string{"-s", size}, options...)}
	}
	alone := func(recipe string) row { return row{recipe: recipe, save: jpeg85} }
	const whole = "65535x65535>" // as large as it is
	all := []row{
		box("64x64>", "fit:64x64", jpeg85),
		box("2048x2048>", "fit:2048x2048", jpeg85),
		box("400x400!", "force:400x400", jpeg85),
		box("256x256>", "fit:256x256,linear:yes", jpeg85, "--linear"),
		box("1280x1280>", "fit:1280x1280,linear:yes", jpeg85, "--linear"),
		box("1280x1280>", "fit:1280x1280,icc:p3", ".jpg[Q=85]", "-i", "srgb", "-e", "p3"),
		chain("crop:800x600"),
		chain("pad:256x256:navy"),
		chain("fit:1280x1280,rotate:90"),
		chain("fit:1280x1280,rotate:180"),
		chain("fit:1280x1280,flip"),
		chain("fit:1280x1280,flop"),
		chain("fit:1280x1280,blur:1"),
		chain("fit:1280x1280,blur:4"),
		chain("fit:1280x1280,blur:20"),
		chain("fit:1280x1280,sharpen:1"),
		chain("fit:1280x1280,sharpen:4"),
		chain("fit:1280x1280,brightness:20"),
		chain("fit:1280x1280,contrast:30"),
		chain("fit:1280x1280,saturation:60"),
		chain("fit:1280x1280,gamma:1.6"),
		chain("fit:1280x1280,gray"),
		chain("fit:1280x1280,invert"),
		chain("fit:1280x1280,watermark:mark.png"),
		chain("fit:256x256;fit:128x128;fit:64x64"),
		chain("fit:2048x2048;fit:1024x1024;fit:256x256"),
		box(whole, "quality:85", jpeg85),
		chain("rotate:90"),
		chain("gray"),
		box(whole, "format:webp", webp80),
		box(whole, "format:png", png),
		box("1280x1280>", "fit:1280x1280,progressive:yes", ".jpg[Q=85,strip,interlace]"),
		box("1280x1280>", "fit:1280x1280,chroma:444", ".jpg[Q=85,strip,subsample-mode=off]"),
		alone("fit:1280x1280,adaptive:yes"),
		alone("fit:1280x1280,trellis:yes"),
		alone("fit:1280x1280,quality:auto"),
		alone("fit:1280x1280,max-bytes:100k"),
		box("256x256>", "fit:256x256,format:webp", webp80),
		box("1280x1280>", "fit:1280x1280,format:webp,lossless:yes", ".webp[lossless,effort=4,strip]"),
		box("1280x1280>", "fit:1280x1280,format:webp,near-lossless:60", ".webp[near-lossless,Q=60,effort=4,strip]"),
		box("1280x1280>", "fit:1280x1280,format:webp,sharp-yuv:yes", ".webp[Q=80,effort=4,smart-subsample,strip]"),
		box("1280x1280>", "fit:1280x1280,format:webp,effort:0", ".webp[Q=80,effort=0,strip]"),
		box("1280x1280>", "fit:1280x1280,format:webp,effort:6", ".webp[Q=80,effort=6,strip]"),
		box("1280x1280>", "fit:1280x1280,format:tiff", ".tif[compression=deflate,predictor=horizontal,strip]"),
		box("256x256>", "fit:256x256,format:gif", ".gif"),
		box("1280x1280>", "fit:1280x1280,format:gif", ".gif"),
		box("1280x1280>", "fit:1280x1280,format:png,colors:256", ".png[palette,strip]"),
		box("1280x1280>", "fit:1280x1280,format:png,compression:1", ".png[compression=1,strip]"),
		box("1280x1280>", "fit:1280x1280,format:png,compression:9", ".png[compression=9,filter=all,strip]"), // as small
		box("1280x1280>", "fit:1280x1280,format:avif", avif60),
		box("256x256>", "fit:256x256,format:avif,chroma:444", ".avif[Q=60,effort=1,subsample-mode=off,strip]"),
	}
	for i := range all {
		all[i].name, all[i].input, all[i].uncompared = "JPEG → "+all[i].recipe, "jpeg", true
	}
	trim := chain("trim,fit:256x256")
	trim.name, trim.input, trim.uncompared = "JPEG with a border → "+trim.recipe, "border", true
	all = append(all, trim)

	for _, k := range []struct{ name, input string }{
		{"JPEG of 640×480", "small"}, {"JPEG 4:4:4", "444"}, {"JPEG 4:2:2", "422"}, {"gray JPEG", "gray"},
		{"JPEG with arithmetic coding", "arithmetic"}, {"JPEG with restart markers", "restart"},
		{"interlaced PNG", "interlaced-png"}, {"16-bit PNG", "16-bit-png"}, {"gray PNG", "gray-png"},
		{"palette PNG", "palette-png"}, {"1-bit PNG", "1-bit-png"}, {"GIF", "gif"}, {"animated GIF", "animated-gif"},
		{"animated WebP", "animated-webp"}, {"uncompressed TIFF", "plain-tiff"}, {"planar TIFF", "planar-tiff"},
		{"Deflate TIFF", "deflate-tiff"}, {"zstd TIFF", "zstd-tiff"}, {"PackBits TIFF", "packbits-tiff"},
		{"JPEG TIFF", "jpeg-tiff"}, {"tiled TIFF", "tiled-tiff"}, {"pyramid TIFF", "pyramid-tiff"},
		{"16-bit TIFF", "16-bit-tiff"}, {"CMYK TIFF", "cmyk-tiff"}, {"fax TIFF", "fax-tiff"}, {"JPEG XL", "jxl"},
		{"lossless JPEG XL", "lossless-jxl"}, {"HEIC of tiles", "tiled-heic"},
	} {
		r := box("256x256>", "fit:256x256,format:jpeg", jpeg85)
		r.name, r.input, r.pillow = k.name+" → "+r.recipe, k.input, []string{"fit", "256"}
		switch k.input {
		case "pyramid-tiff": // vipsthumbnail of libvips 8.14 takes a level that is too small
			r.uncompared = true
		case "cmyk-tiff":
			r.vips = append(r.vips, "-e", "srgb")
		case "gray", "gray-png", "1-bit-png", "fax-tiff", "small": // the reference has colours, and its own size
			r.uncompared = true
		}
		all = append(all, r)
	}
	moving := func(name, input, recipe, save string) {
		all = append(all, row{name: name + " → " + recipe, input: input, recipe: recipe, save: save, load: "[n=-1]",
			vips: []string{"-s", "256x256>"}, uncompared: true})
	}
	moving("animated GIF", "animated-gif", "fit:256x256,animate:yes", ".gif")
	moving("animated GIF", "animated-gif", "fit:256x256,animate:yes,format:webp", webp80)
	moving("animated WebP", "animated-webp", "fit:256x256,animate:yes", webp80)
	deep := box("1280x1280>", "fit:1280x1280,depth:keep", png)
	deep.name, deep.input, deep.uncompared = "16-bit PNG → "+deep.recipe, "16-bit-png", true
	return append(all, deep)
}

// buildChain compiles chain.c.
func (b *bench) buildChain(ctx context.Context) error {
	flags, err := exec.CommandContext(ctx, "pkg-config", "--cflags", "--libs", "vips").CombinedOutput()
	if err != nil {
		return fmt.Errorf("pkg-config vips: %w: %s", err, lastLine(flags))
	}
	args := append([]string{"-O2", "-o", filepath.Join(b.work, "chain"), "bench/matrix/chain/chain.c"},
		strings.Fields(string(flags))...)
	if out, err := exec.CommandContext(ctx, "cc", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("cc chain.c: %w: %s", err, lastLine(out))
	}
	return nil
}

// assets is the directory of watermarks.
func (b *bench) assets() string { return filepath.Join(b.work, "assets") }

// makeAssets writes mark.png: half opaque white, 200×100 pixels.
func makeAssets(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	mark := image.NewNRGBA(image.Rect(0, 0, 200, 100))
	draw.Draw(mark, mark.Rect, image.NewUniform(color.NRGBA{255, 255, 255, 128}), image.Point{}, draw.Src)
	f, err := os.Create(filepath.Join(dir, "mark.png"))
	if err != nil {
		return err
	}
	defer f.Close()
	return pngfile.Encode(f, mark)
}
