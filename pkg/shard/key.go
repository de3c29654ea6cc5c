package shard

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// Key returns the key of the sample of an output, and the extension of the output's name, by which the ledger tells
// outputs of one key apart.
//
// WebDataset takes everything up to the first dot of the base name for the key. So the key is the output's name
// without its extension, in which each dot of the base name is written %2E, each percent sign %25, and each byte that
// is no UTF-8 %XX. No two names without their extensions have the same key. A directory at the beginning whose name
// begins and ends with two underscores would be taken for metadata: its first underscore is written %5F. The extension
// is in lower case; it is "bin" for a name without one.
func Key(name string) (key, ext string) {
	dir, base := path.Split(name)
	dotted := path.Ext(base)
	if ext = strings.ToLower(strings.TrimPrefix(dotted, ".")); ext == "" || ext == sidecarJSON {
		ext = "bin"
	} else {
		base = strings.TrimSuffix(base, dotted)
	}
	var b strings.Builder
	b.Grow(len(name))
	escape(&b, dir, false)
	if escape(&b, base, true); base == "" {
		b.WriteString("%00") // such as of .jpg; no name has a NUL
	}
	if key = b.String(); strings.HasPrefix(key, "__") {
		if first, _, _ := strings.Cut(key, "/"); strings.HasSuffix(first, "__") {
			key = "%5F" + key[1:]
		}
	}
	return key, ext
}

// namesLike returns the names of the other outputs that have the key and the extension of an output: those that differ
// in the case of the extension, as far as it is one that images have.
func namesLike(name, ext string) (others []string) {
	stem := strings.TrimSuffix(name, path.Ext(name))
	exts := []string{"." + ext}
	if ext == "bin" { // also of names without an extension
		if stem = name; strings.EqualFold(path.Ext(name), ".bin") {
			stem = strings.TrimSuffix(name, path.Ext(name))
		}
		exts = []string{"", ".bin"}
	}
	for _, e := range exts {
		for _, spelled := range spellings(e) {
			if other := stem + spelled; other != name {
				others = append(others, other)
			}
		}
	}
	return others
}

// maxSpelled is the length of an extension up to which all its spellings are asked about.
const maxSpelled = 6

// spellings returns an extension in all mixtures of cases.
func spellings(ext string) []string {
	if len(ext) > maxSpelled {
		return []string{ext}
	}
	all := []string{""}
	for i := range len(ext) {
		lower, upper := strings.ToLower(ext[i:i+1]), strings.ToUpper(ext[i:i+1])
		var longer []string
		for _, begin := range all {
			longer = append(longer, begin+lower)
			if upper != lower {
				longer = append(longer, begin+upper)
			}
		}
		all = longer
	}
	return all
}

func escape(b *strings.Builder, s string, dots bool) {
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if r == '%' || r == '.' && dots || r < ' ' || r == utf8.RuneError && size == 1 {
			fmt.Fprintf(b, "%%%02X", s[0])
			size = 1
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
}
