package shard

import (
	"archive/tar"
	"bytes"
	"slices"
	"testing"
)

func TestExtensionInAShardTellsTheFormat(t *testing.T) {
	jpeg := []byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00 and so on")
	for _, c := range []struct {
		name, file, ext string
		data            []byte
	}{
		{"IMG_2041_thumb", "IMG_2041_thumb.jpg", "bin", jpeg},
		{"scan_thumb.2041", "scan_thumb.jpg", "2041", jpeg},
		{"a_thumb.JPEG", "a_thumb.jpeg", "jpeg", jpeg},
		{"a.txt", "a.jpg", "txt", jpeg},
		{"what", "what.bin", "bin", []byte("no image")},
	} {
		var out bytes.Buffer
		s := Sample{Name: c.name, Data: c.data, Sidecars: map[string][]byte{"txt": []byte("a caption")}}
		placed, err := s.write(&counter{w: &out})
		if err != nil {
			t.Fatal(err)
		}
		h, err := tar.NewReader(bytes.NewReader(out.Bytes())).Next()
		if err != nil || h.Name != c.file || s.About.File != c.file || placed.Ext != c.ext {
			t.Errorf("%q is %+v, %q and %q, want %q and %q: %v", c.name, h, s.About.File, placed.Ext, c.file, c.ext, err)
		}
	}
}

func TestNamesOfOneKeyAreKnown(t *testing.T) {
	for _, c := range []struct {
		name string
		want []string
	}{
		{"d/a.x.jpg", []string{"d/a.x.JPG", "d/a.x.Jpg", "d/a.x.jPG"}},
		{"d/a.JPG", []string{"d/a.jpg"}},
		{"d/A", []string{"d/A.bin", "d/A.Bin"}},
		{"d/A.json", []string{"d/A.json.bin"}},
		{"d/A.bin", []string{"d/A", "d/A.Bin"}},
	} {
		key, ext := Key(c.name)
		others := namesLike(c.name, ext)
		for _, want := range c.want {
			if !slices.Contains(others, want) {
				t.Errorf("%s: %q lacks %q", c.name, others, want)
			}
		}
		for _, other := range others {
			if k, e := Key(other); k != key || e != ext || other == c.name {
				t.Errorf("%s: %q has the key %q, %q", c.name, other, k, e)
			}
		}
	}
}
