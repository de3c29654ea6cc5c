package reads

// kind is a kind of file, how one is made of a picture, and how far from it the product may be.
type kind struct {
	format, name string
	of           string // the picture: photo, alpha, gray, bilevel or palette, a PNG of 160×120
	by           string // the program
	how          string // its arguments, IN and OUT among them; for Pillow, what is done with the picture im
	most         float64
}

// Distances above which a reading is wrong, of 255: of files that hold the picture as it is, and of those with loss.
const (
	exact = 1.5
	lossy = 6
)

// kinds are the kinds of files, by format.
func kinds() []kind {
	tiff := func(name, of, options string) kind {
		return kind{"TIFF", name, of, "tiffcp", options + " IN OUT", exact}
	}
	magick := func(format, name, of, options string, most float64) kind {
		return kind{format, name, of, "ImageMagick", "IN " + options + " OUT", most}
	}
	pillow := func(format, name, of, do string, most float64) kind {
		return kind{format, name, of, "Pillow", do, most}
	}
	vips := func(format, name, of, command string, most float64) kind {
		return kind{format, name, of, "vips", command, most}
	}
	return []kind{
		pillow("JPEG", "4:2:0", "photo", "im.save(OUT, quality=92)", lossy),
		pillow("JPEG", "4:4:4", "photo", "im.save(OUT, quality=92, subsampling=0)", lossy),
		pillow("JPEG", "4:2:2, progressive", "photo", "im.save(OUT, quality=92, subsampling=1, progressive=True)", lossy),
		pillow("JPEG", "progressive, without its end marker", "photo",
			"im.save(OUT, quality=92, progressive=True); data = open(OUT, 'rb').read(); open(OUT, 'wb').write(data[:-2])",
			lossy),
		pillow("JPEG", "gray", "gray", "im.save(OUT, quality=92)", lossy),
		pillow("JPEG", "CMYK", "photo", "im.convert('CMYK').save(OUT, quality=95)", lossy),
		pillow("JPEG", "MPO of two pictures", "photo",
			"im.save(OUT, format='MPO', save_all=True, append_images=[im.rotate(180)], quality=92)", lossy),
		magick("JPEG", "4:1:1", "photo", "-quality 92 -sampling-factor 4x1,1x1,1x1", lossy),
		magick("JPEG", "4:4:0", "photo", "-quality 92 -sampling-factor 1x2,1x1,1x1", lossy),
		magick("JPEG", "2×2, 1×1, 1×2", "photo", "-quality 92 -sampling-factor 2x2,1x1,1x2", lossy),
		{"JPEG", "RGB", "photo", "cjpeg", "-quality 92 -rgb -outfile OUT IN.ppm", lossy},
		{"JPEG", "arithmetic coding", "photo", "cjpeg", "-quality 92 -arithmetic -outfile OUT IN.ppm", lossy},
		{"JPEG", "restart markers", "photo", "cjpeg", "-quality 92 -restart 1 -outfile OUT IN.ppm", lossy},

		pillow("PNG", "RGB", "photo", "im.save(OUT)", exact),
		pillow("PNG", "RGB and alpha", "alpha", "im.save(OUT)", exact),
		pillow("PNG", "gray", "gray", "im.save(OUT)", exact),
		pillow("PNG", "gray and alpha", "gray", "im.convert('LA').save(OUT)", exact),
		pillow("PNG", "palette", "palette", "im.save(OUT)", exact),
		pillow("PNG", "1 bit", "bilevel", "im.convert('1').save(OUT)", exact),
		magick("PNG", "16 bits", "photo", "-depth 16 -define png:bit-depth=16", exact),
		magick("PNG", "interlaced", "photo", "-interlace PNG", exact),
		vips("PNG", "palette with alpha", "alpha", "pngsave IN OUT --palette --Q 100", lossy),
		vips("PNG", "16 bits with alpha", "alpha", "colourspace IN OUT rgb16", exact),

		pillow("GIF", "palette", "palette", "im.save(OUT)", exact),
		magick("GIF", "interlaced", "palette", "-interlace GIF", exact),

		pillow("WebP", "lossy", "photo", "im.save(OUT, quality=92)", lossy),
		pillow("WebP", "lossy with alpha", "alpha", "im.save(OUT, quality=92)", lossy),
		pillow("WebP", "lossless with alpha", "alpha", "im.save(OUT, lossless=True, exact=True)", exact),
		{"WebP", "near lossless", "photo", "cwebp", "-quiet -near_lossless 60 IN -o OUT", lossy},

		tiff("uncompressed, big-endian", "photo", "-B -c none"),
		tiff("BigTIFF", "photo", "-8 -c none"),
		tiff("LZW with predictor", "photo", "-c lzw:2"),
		tiff("Deflate", "photo", "-c zip"),
		tiff("zstd", "photo", "-c zstd"),
		tiff("PackBits", "photo", "-c packbits"),
		tiff("separate planes", "photo", "-p separate -c lzw"),
		tiff("separate planes in tiles", "photo", "-p separate -t -w 32 -l 48 -c none"),
		tiff("tiles", "photo", "-t -w 64 -l 64 -c zip"),
		tiff("fax, group 3", "bilevel", "-c g3"),
		tiff("fax, group 3, two dimensions", "bilevel", "-c g3:2d"),
		tiff("fax, group 3, fill bits", "bilevel", "-c g3:fill"),
		tiff("fax, group 4", "bilevel", "-c g4"),
		tiff("fax, group 4, lowest bit first", "bilevel", "-f lsb2msb -c g4"),
		{"TIFF", "JPEG in strips", "photo", "tiffcp", "-r 16 -c jpeg:r:92 IN OUT", lossy},
		{"TIFF", "JPEG, YCbCr", "photo", "tiffcp", "-r 16 -c jpeg:92 IN OUT", lossy},
		pillow("TIFF", "palette", "palette", "im.save(OUT)", exact),
		pillow("TIFF", "gray and alpha", "gray", "im.convert('LA').save(OUT)", exact),
		pillow("TIFF", "RGB and alpha", "alpha", "im.save(OUT)", exact),
		pillow("TIFF", "CMYK", "photo", "im.convert('CMYK').save(OUT)", exact),
		pillow("TIFF", "1 bit", "bilevel", "im.convert('1').save(OUT)", exact),
		magick("TIFF", "2 bits, gray", "bilevel", "-colorspace Gray -depth 2", exact),
		magick("TIFF", "4 bits, gray", "bilevel", "-colorspace Gray -depth 4", exact),
		magick("TIFF", "12 bits", "photo", "-depth 12", exact),
		magick("TIFF", "16 bits", "photo", "-depth 16", exact),
		magick("TIFF", "24 bits", "photo", "-depth 24", exact),
		magick("TIFF", "32 bits", "photo", "-depth 32", exact),
		magick("TIFF", "floating point, 16 bits", "photo", "-depth 16 -define quantum:format=floating-point", exact),
		magick("TIFF", "floating point, 32 bits", "photo", "-depth 32 -define quantum:format=floating-point", exact),
		magick("TIFF", "floating point, 64 bits", "photo", "-depth 64 -define quantum:format=floating-point", exact),
		magick("TIFF", "L*a*b*", "photo", "-colorspace Lab", 3),
		vips("TIFF", "JPEG in tiles", "photo", "tiffsave IN OUT --tile --compression jpeg --Q 92", lossy),
		vips("TIFF", "WebP inside", "photo", "tiffsave IN OUT --compression webp --lossless", exact),
		vips("TIFF", "JPEG 2000 inside", "photo", "tiffsave IN OUT --compression jp2k --lossless --tile", exact),
		vips("TIFF", "pyramid", "photo", "tiffsave IN OUT --tile --pyramid --tile-width 64 --tile-height 64", exact),

		pillow("BMP", "24 bits", "photo", "im.save(OUT)", exact),
		pillow("BMP", "palette", "palette", "im.save(OUT)", exact),
		pillow("BMP", "1 bit", "bilevel", "im.convert('1').save(OUT)", exact),
		{"BMP", "OS/2", "photo", "ImageMagick", "IN BMP2:OUT", exact},
		magick("BMP", "32 bits with alpha", "alpha", "-define bmp:format=bmp4", exact),
		magick("BMP", "16 bits, 5-6-5", "photo", "-define bmp:subtype=RGB565", 5),
		magick("BMP", "16 bits, 5-5-5", "photo", "-define bmp:subtype=RGB555", 5),
		magick("BMP", "run lengths", "palette", "-type Palette -compress RLE", exact),

		{"HEIC", "8 bits", "photo", "heif-enc", "-q 90 IN -o OUT", lossy},
		{"HEIC", "with alpha", "alpha", "heif-enc", "-q 90 IN -o OUT", lossy},
		{"AVIF", "8 bits", "photo", "heif-enc", "-A -q 90 IN -o OUT", lossy},
		{"AVIF", "with alpha", "alpha", "heif-enc", "-A -q 90 IN -o OUT", lossy},
		vips("AVIF", "lossless", "photo", "heifsave IN OUT --compression av1 --lossless", 2),

		{"JPEG XL", "lossless", "alpha", "cjxl", "-d 0 IN OUT", exact},
		{"JPEG XL", "lossy", "photo", "cjxl", "-d 1 IN OUT", lossy},
	}
}
