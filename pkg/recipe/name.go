package recipe

import (
	"path"
	"slices"
	"strings"
)

// Formats that can be written. Same stands for the input's.
const (
	JPEG = "jpeg"
	PNG  = "png"
	WebP = "webp"
	GIF  = "gif"
	TIFF = "tiff"
	AVIF = "avif"
	Same = "same"
)

// Formats returns every format that can be written.
func Formats() []string { return []string{JPEG, PNG, WebP, GIF, TIFF, AVIF} }

// DefaultQuality returns the quality that format has unless told, or 0 where a format knows none.
func DefaultQuality(format string) int {
	switch format {
	case JPEG:
		return 85
	case WebP:
		return 80
	case AVIF:
		return 60
	}
	return 0
}

// quality returns what Variant.Quality holds for a format: asked, or its default, or 0 where the format knows none.
func quality(format string, asked int) int {
	d := DefaultQuality(format)
	if asked == 0 || d == 0 && format != Same {
		return d
	}
	return asked
}

// FormatOf returns the format that a file name's extension names ("bmp" and "heic" among them, which can be read
// but not written), or "" where it names none.
func FormatOf(filename string) string {
	_, ext := splitExt(filename)
	switch strings.ToLower(ext) {
	case ".jpg", ".jpeg", ".jpe", ".jfif":
		return JPEG
	case ".png":
		return PNG
	case ".gif":
		return GIF
	case ".webp":
		return WebP
	case ".tif", ".tiff":
		return TIFF
	case ".avif":
		return AVIF
	case ".bmp", ".dib":
		return "bmp"
	case ".heic", ".heif", ".hif":
		return "heic"
	}
	return ""
}

func extension(format string) string {
	if format == JPEG {
		return ".jpg"
	}
	return "." + format
}

// splitExt cuts the extension off. A name that only begins with a dot has none.
func splitExt(filename string) (stem, ext string) {
	ext = path.Ext(filename)
	stem = filename[:len(filename)-len(ext)]
	if stem == "" || stem[len(stem)-1] == '/' {
		return filename, ""
	}
	return stem, ext
}

// OutputName returns the slash-separated name of the output that v makes of a file: {dir}/{stem}_{variant}{ext}.
//
// It depends on the file's name and on v alone, never on the content. An explicit format brings its extension, but
// one that names this format already stays as it is (.jpeg, .JPG). With format:same the extension stays too, but for
// formats that cannot be written (BMP, HEIC), which become .jpg.
func (v Variant) OutputName(filename string) string {
	stem, ext := splitExt(filename)
	named := FormatOf(filename)
	switch {
	case v.Format != Same && v.Format != named:
		ext = extension(v.Format)
	case v.Format == Same && named != "" && !slices.Contains(Formats(), named):
		ext = extension(JPEG)
	}
	return stem + "_" + v.Name + ext
}

// OutputFormat returns the format in which v is encoded. filename is the input's name ("" where it is not known),
// detected the format that its content has.
//
// An explicit format is itself. With format:same the extension decides where it names a format, JPEG standing in for
// those that cannot be written; else the detected format, with the same stand-in.
func (v Variant) OutputFormat(filename, detected string) string {
	f := v.Format
	if f == Same || f == "" {
		f = FormatOf(filename)
	}
	if f == "" {
		f = detected
	}
	if !slices.Contains(Formats(), f) {
		return JPEG
	}
	return f
}

// For returns r with format:same replaced wherever the file's name decides it. Engines see no names, so whoever has
// one calls For before Transform. It changes no output name: r.For(f).OutputNames(f) equals r.OutputNames(f).
func (r Recipe) For(filename string) Recipe {
	if FormatOf(filename) == "" {
		return r
	}
	resolved := Recipe{Variants: slices.Clone(r.Variants)}
	for i := range resolved.Variants {
		v := &resolved.Variants[i]
		v.Format = v.OutputFormat(filename, "")
		v.Quality = quality(v.Format, v.Quality)
	}
	return resolved
}

// OutputNames returns the names of what r makes of a file, in the order of its variants. They differ from each other.
func (r Recipe) OutputNames(filename string) []string {
	names := make([]string, len(r.Variants))
	for i, v := range r.Variants {
		names[i] = v.OutputName(filename)
	}
	return names
}
