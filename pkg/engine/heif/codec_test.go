package heif

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/picture"
)

// Both codings leave no sample to the decoder: every codec must decode the same.
func TestCodecsAgree(t *testing.T) {
	lib, err := native.LoadHEIF()
	if err != nil {
		t.Skip(err)
	}
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		p := codedPart(t, filepath.Base(name), 1)
		f, err := Parse(build(p))
		if err != nil {
			t.Fatal(err)
		}
		if p.kind == "grid" {
			continue
		}
		c := f.colorOf(f.primary, f.primary)
		w, h := f.primary.size()
		sandboxed, err := newWASM(p.kind)
		if err != nil {
			t.Fatal(err)
		}
		defer sandboxed.close()
		want, err := sandboxed.decode(f.primary.single(toldTo(sandboxed, c)), w, h)
		if err != nil {
			t.Errorf("%s in WebAssembly: %v", name, err)
			continue
		}
		got, err := installed{lib}.decode(f.primary.single(toldTo(installed{lib}, c)), w, h)
		if err != nil {
			t.Errorf("%s by libheif: %v", name, err)
			continue
		}
		if got.Width() != w || got.Height() != h {
			t.Errorf("%s by libheif: %d×%d pixels", name, got.Width(), got.Height())
		}
		if want.Model == picture.RGB { // converted; it is gray
			got.Planes = got.Planes[:1]
		}
		for i := range got.Planes {
			if !bytes.Equal(got.Planes[i].Pix, want.Planes[i].Pix) {
				t.Errorf("%s: plane %d differs", name, i)
			}
		}
	}
}
