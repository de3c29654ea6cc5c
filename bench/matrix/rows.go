package main

import "strings"

// row is one line of the table: from one kind of input to one variant.
type row struct {
	name   string   // as printed
	input  string   // a key of inputs
	recipe string   // the farm's variant, without its name
	vips   []string // options of vipsthumbnail, but for the output; none if libvips cannot do it
	save   string   // vipsthumbnail's output suffix, with the encoder's options
	pillow []string // what pillow.py does, if it does it
	load   string   // vipsthumbnail's suffix of inputs, with the decoder's options
	chain  bool     // chain.c does the recipe, not vipsthumbnail
	// plain says that vipsthumbnail cannot do all of the row: it is timed without the last operation, and does less.
	plain bool
	// uncompared says that the pictures cannot be compared with the reference: it has no alpha, or each program cuts
	// elsewhere.
	uncompared bool
}

const (
	png    = ".png[strip]"
	jpeg85 = ".jpg[Q=85,strip]"
	webp80 = ".webp[Q=80,effort=4,strip]"
	avif60 = ".avif[Q=60,effort=1,strip]"
)

// pixels returns the operations of a recipe without its format and what follows.
func pixels(recipe string) string {
	ops, _, _ := strings.Cut(recipe, ",format")
	return ops
}

// rows is the table. The farm's defaults are Q 85 for JPEG, 80 for WebP and 60 for AVIF, those of peers are set to
// them.
func rows() []row {
	fit := func(name, input, side, recipe, save string) row {
		vips := []string{"-s", side + "x" + side + ">"}
		if input == "p3" || input == "adobe" || input == "cmyk" { // without a profile it is sRGB, and is to stay so
			vips = append(vips, "-e", "srgb")
		}
		return row{name: name, input: input, recipe: "fit:" + side + "x" + side + recipe,
			vips: vips, save: save, pillow: []string{"fit", side}}
	}
	all := []row{
		fit("JPEG → fit:256x256", "jpeg", "256", "", jpeg85),
		fit("JPEG → fit:1280x1280", "jpeg", "1280", "", jpeg85),
		{name: "JPEG → fill:400x400", input: "jpeg", recipe: "fill:400x400",
			vips: []string{"-s", "400x400", "-m", "centre"}, save: jpeg85, pillow: []string{"fill", "400"}},
		{name: "JPEG → fill:400x400:smart", input: "jpeg", recipe: "fill:400x400:smart",
			vips: []string{"-s", "400x400", "-m", "attention"}, save: jpeg85, pillow: []string{"fill", "400"}, uncompared: true},
		fit("JPEG, Display P3 → fit:256x256", "p3", "256", "", jpeg85),
		fit("JPEG, Adobe RGB → fit:256x256", "adobe", "256", "", jpeg85),
		fit("JPEG → fit:1280x1280,sharpen:0.5", "jpeg", "1280", ",sharpen:0.5", jpeg85),
		fit("JPEG → fit:1280x1280,gray", "jpeg", "1280", ",gray", jpeg85),
		fit("JPEG → fit:256x256,format:png", "jpeg", "256", ",format:png", png),
		fit("JPEG → fit:1280x1280,format:png", "jpeg", "1280", ",format:png", png),
		fit("JPEG → fit:1280x1280,format:webp", "jpeg", "1280", ",format:webp", webp80),
		fit("JPEG → fit:256x256,format:avif", "jpeg", "256", ",format:avif", avif60),
		fit("CMYK JPEG → fit:256x256", "cmyk", "256", "", jpeg85),
		fit("progressive JPEG → fit:256x256", "progressive", "256", "", jpeg85),
		fit("PNG → fit:256x256", "png", "256", "", png),
		fit("PNG → fit:1280x1280,format:jpeg", "png", "1280", ",format:jpeg", jpeg85),
		fit("PNG with alpha → fit:256x256", "alpha", "256", "", png),
		fit("TIFF → fit:256x256,format:jpeg", "tiff", "256", ",format:jpeg", jpeg85),
		fit("BMP → fit:256x256,format:jpeg", "bmp", "256", ",format:jpeg", jpeg85),
		fit("WebP → fit:256x256,format:jpeg", "webp", "256", ",format:jpeg", jpeg85),
		fit("lossless WebP → fit:256x256,format:png", "lossless-webp", "256", ",format:png", png),
		fit("WebP with alpha → fit:256x256,format:png", "alpha-webp", "256", ",format:png", png),
		fit("lossless WebP with alpha → fit:256x256,format:png", "lossless-alpha-webp", "256", ",format:png", png),
		fit("HEIC → fit:256x256,format:jpeg", "heic", "256", ",format:jpeg", jpeg85),
		fit("AVIF → fit:256x256,format:jpeg", "avif", "256", ",format:jpeg", jpeg85),
	}
	for i := range all {
		if all[i].input == "alpha-webp" || all[i].input == "lossless-alpha-webp" { // the reference has no alpha
			all[i].uncompared = true
		}
		switch all[i].name {
		case "JPEG → fit:1280x1280,sharpen:0.5":
			all[i].plain, all[i].pillow = true, []string{"sharpen", "1280"}
		case "JPEG → fit:1280x1280,gray":
			all[i].plain, all[i].pillow = true, []string{"gray", "1280"}
		}
	}
	return all
}
