package recipe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// Same is the output format that stands for the input's.
const Same = "same"

// quality returns what Variant.Quality holds for a format: the quality that the user asked for, or the format's
// default, or 0 where the format has no quality.
func quality(to string, asked int) int {
	d := format.Of(to).Quality
	if asked == 0 || d == 0 && to != Same {
		return d
	}
	return asked
}

// fallback is the output format for inputs whose own format cannot be written.
const fallback = format.JPEG

// OutputName returns the slash-separated name of the output that v makes of a file: {dir}/{stem}_{variant}{ext}.
//
// The name depends on the file's name and on v alone, never on the content. An explicit format sets the extension,
// unless the file's extension stands for that format already (.jpeg, .JPG). With format:same the extension stays.
// Formats that cannot be written (BMP, HEIC, JPEG XL, raw files) become .jpg. With v.KeepExt the stem is the whole
// name: {dir}/{name}_{variant}{ext}.
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

// OutputFormat returns the format in which v is encoded. filename is the input's name, or "" where the caller knows
// none. detected is the format that the content has.
//
// OutputFormat returns an explicit format as it is. With format:same the extension decides; where it stands for no
// format, the content does. JPEG takes the place of a format that cannot be written.
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

// For returns r with format:same replaced where the file's name decides the format, and without the settings that this
// format does not know. Engines see no names, so the
// caller of an engine calls For before Transform. For changes no output name: r.For(f).OutputNames(f) equals
// r.OutputNames(f).
func (r Recipe) For(filename string) Recipe {
	if format.OfFile(filename).Name == "" {
		return r
	}
	resolved := Recipe{Variants: slices.Clone(r.Variants)}
	for i := range resolved.Variants {
		v := &resolved.Variants[i]
		v.Format = v.OutputFormat(filename, "")
		v.settle()
	}
	return resolved
}

// Only returns the recipe of the variants of r that have one of the names, in the order of r. The error says which name
// no variant has.
func (r Recipe) Only(names []string) (Recipe, error) {
	var only Recipe
	for _, v := range r.Variants {
		if slices.Contains(names, v.Name) {
			only.Variants = append(only.Variants, v)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(only.Variants, func(v Variant) bool { return v.Name == name }) {
			return Recipe{}, fmt.Errorf("the recipe has no variant %.80q", name)
		}
	}
	return only, nil
}

// KeepExtensions returns r with KeepExt set in every variant.
func (r Recipe) KeepExtensions() Recipe {
	kept := Recipe{Variants: slices.Clone(r.Variants)}
	for i := range kept.Variants {
		kept.Variants[i].KeepExt = true
	}
	return kept
}

// OutputNames returns the names of the outputs that r makes of a file, in the order of its variants. No two names
// are equal.
func (r Recipe) OutputNames(filename string) []string {
	names := make([]string, len(r.Variants))
	for i, v := range r.Variants {
		names[i] = v.OutputName(filename)
	}
	return names
}
