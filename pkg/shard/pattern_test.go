package shard

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreWhatWebDatasetReads(t *testing.T) {
	for name, want := range map[string]string{
		"a/b_thumb.jpg":     "a/b_thumb jpg",
		"a.b/c.d_thumb.JPG": "a.b/c%2Ed_thumb jpg",
		"50%.webp":          "50%25 webp",
		"dir/\xff\n.png":    "dir/%FF%0A png",
		"noext":             "noext bin",
		"x.json":            "x%2Ejson bin",
		"d/.jpg":            "d/%00 jpg",
		"__MACOSX__/a.jpg":  "%5F_MACOSX__/a jpg",
		"été.jpeg":          "été jpeg",
	} {
		key, ext := Key(name)
		if got := key + " " + ext; got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
		if base := filepath.Base(key); strings.Contains(base, ".") {
			t.Errorf("%q: the key %q has a dot", name, key)
		}
	}
}

func TestTextsOfShards(t *testing.T) {
	for text, want := range map[string]string{
		"tar:out":                    "tar:out/part-%06d.tar",
		"tar:out/x-%d.tar":           "tar:out/x-%d.tar",
		"tar:x-%03d.tar":             "tar:./x-%03d.tar",
		"tar:/x-%03d.tar":            "tar:/x-%03d.tar",
		"tar:s3://b/p/part-%06d.tar": "tar:s3://b/p/part-%06d.tar",
		"tar:s3://b":                 "tar:s3://b/part-%06d.tar",
	} {
		if p, err := Parse(text); err != nil || p.String() != want {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{
		"tar:", "out", "tar:a/b.tar", "tar:%d%d.tar", "tar:%s%d.tar", "tar:%d/x%d.tar", "tar:s3://",
	} {
		if p, err := Parse(text); err == nil {
			t.Errorf("%q: %v", text, p)
		}
	}
}
