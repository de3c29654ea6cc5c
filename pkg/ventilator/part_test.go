package ventilator

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
	"github.com/imagefarm/imagefarm/pkg/source"
)

func TestPartsHaveEachImageOnce(t *testing.T) {
	const n, images = 7, 7000
	var sizes [n]int
	for i := range images {
		name := fmt.Sprintf("roll%02d/IMG_%04d.jpg", i%13, i)
		owners := 0
		for index := range n {
			if (Part{index, n}).Has(name) {
				owners++
				sizes[index]++
			}
		}
		if owners != 1 {
			t.Fatalf("%q is in %d parts", name, owners)
		}
	}
	for i, size := range sizes {
		if size < images/n*8/10 || size > images/n*12/10 {
			t.Errorf("part %d has %d of %d images", i, size, images)
		}
	}
	// Jobs of other versions take part: an image must never change its part.
	if !(Part{1, 8}).Has("a.jpg") || !(Part{4, 8}).Has("b/ü.png") {
		t.Error("images are in other parts than before")
	}
}

func TestParsePart(t *testing.T) {
	if p, err := ParsePart("3/8"); err != nil || p != (Part{3, 8}) {
		t.Errorf("%v, %v", p, err)
	}
	for _, text := range []string{"", "3", "8/8", "-1/8", "0/0", "a/8", "1/2/3", "/8", "0/"} {
		if p, err := ParsePart(text); err == nil {
			t.Errorf("%q is %v", text, p)
		}
	}
}

// Images whose outputs clash are named alike by every run, also when they are in different parts.
func TestPartsAgreeOnNames(t *testing.T) {
	dir := t.TempDir()
	for i := range 20 {
		for _, ext := range []string{"jpg", "png"} {
			path := filepath.Join(dir, fmt.Sprintf("%d.%s", i, ext))
			if err := os.WriteFile(path, []byte("\xff\xd8\xff"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	what := recipetest.Parse(t, "x=fit:64x64,format:jpeg")
	outputs := func(part Part) (names []string) {
		f, err := newFinder(&Config{Inputs: []string{dir}, Part: part})
		if err != nil {
			t.Fatal(err)
		}
		look, err := f.survey(t.Context(), what)
		if err != nil {
			t.Fatal(err)
		}
		err = f.walk(t.Context(), func(im image) error {
			names = append(names, look.naming.outputs(im.Name)...)
			return nil
		}, func(source.Omission) {})
		if err != nil || look.Images != int64(len(names)) || !look.Others && part != (Part{}) {
			t.Errorf("%v: %+v of %d names, %v", part, look, len(names), err)
		}
		return names
	}
	all := make(map[string]bool)
	for _, name := range outputs(Part{}) {
		all[name] = true
	}
	found := 0
	for i := range 3 {
		for _, name := range outputs(Part{i, 3}) {
			if found++; !all[name] {
				t.Errorf("a part makes %q, and the whole does not", name)
			}
		}
	}
	if found != len(all) {
		t.Errorf("the parts make %d outputs, the whole %d", found, len(all))
	}
}
