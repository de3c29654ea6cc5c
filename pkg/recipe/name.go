package recipe

import (
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// Same is the output format that stands for the input's.
const Same = "same"

// quality returns what Variant.Quality holds for a format: asked, or its default, or 0 where the format knows none.
func quality(to string, asked int) int {
	d := format.Of(to).Quality
	if asked == 0 || d == 0 && to != Same {
		return d
	}
	return asked
}

// fallback is the format in which the pictures of formats that cannot be written are written.
const fallback = format.JPEG

// OutputName returns the slash-separated name of the output that v makes of a file: {dir}/{stem}_{variant}{ext}.
//
// It depends on the file's name and on v alone, never on the content. An explicit format brings its extension, but
// one that names this format already stays as it is (.jpeg, .JPG). With format:same the extension stays too, but for
// formats that cannot be written (BMP, HEIC), which become .jpg. With v.KeepExt the stem is the whole name:
// {dir}/{name}_{variant}{ext}.
func (v Variant) OutputName(filename string) string {
	ext := format.Extension(filename)
	stem := strings.TrimSuffix(filename, ext)
	named := format.OfFile(filename)
	switch {
	case v.Format != Same && v.Format != named.Name:
		ext = format.Of(v.Format).Extensions[0]
	case v.Format == Same && named.Name != "" && !named.Written:
		ext = format.Of(fallback).Extensions[0]
	}
	if v.KeepExt {
		stem = filename
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
		f = format.OfFile(filename).Name
	}
	if f == "" {
		f = detected
	}
	if !format.Of(f).Written {
		return fallback
	}
	return f
}

// For returns r with format:same replaced wherever the file's name decides it. Engines see no names, so whoever has
// one calls For before Transform. It changes no output name: r.For(f).OutputNames(f) equals r.OutputNames(f).
func (r Recipe) For(filename string) Recipe {
	if format.OfFile(filename).Name == "" {
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

// KeepExtensions returns r with KeepExt set in every variant.
func (r Recipe) KeepExtensions() Recipe {
	kept := Recipe{Variants: slices.Clone(r.Variants)}
	for i := range kept.Variants {
		kept.Variants[i].KeepExt = true
	}
	return kept
}

// OutputNames returns the names of what r makes of a file, in the order of its variants. They differ from each other.
func (r Recipe) OutputNames(filename string) []string {
	names := make([]string, len(r.Variants))
	for i, v := range r.Variants {
		names[i] = v.OutputName(filename)
	}
	return names
}
