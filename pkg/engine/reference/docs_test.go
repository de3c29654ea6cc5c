package reference

import (
	"context"
	"flag"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

//go:generate go test -run TestRecipesDocument -update-docs .

var updateDocs = flag.Bool("update-docs", false,
	"make the pictures of docs/RECIPES.md again instead of comparing with them")

const docs = "../../../docs/"

// mark is the watermark of the document: a white ring.
func mark() []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 40, 40))
	for y := range 40 {
		for x := range 40 {
			r := math.Hypot(float64(x)-19.5, float64(y)-19.5)
			edge := min(r-9, 17-r)
			img.SetNRGBA(x, y, color.NRGBA{255, 255, 255, uint8(255 * min(1, max(0, edge)))})
		}
	}
	return enginetest.PNG(img)
}

// The document's pictures are what the program makes of the operations beside them.
func TestRecipesDocument(t *testing.T) {
	text, err := os.ReadFile(docs + "RECIPES.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range recipe.Usages() {
		if !strings.Contains(string(text), "\n### "+u.Word+"\n") {
			t.Errorf("RECIPES.md has no section on %s", u.Word)
		}
	}
	photo, err := os.ReadFile("../../../testdata/photos/orientation/lighthouse_1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{Assets: fstest.MapFS{"mark.png": {Data: mark()}}})
	if err != nil {
		t.Fatal(err)
	}
	pictures := map[string]bool{}
	for _, m := range regexp.MustCompile(`!\[(.*?)\]\((img/recipes/.*?\.jpg)\)`).FindAllStringSubmatch(string(text), -1) {
		ops, file := m[1], docs+m[2]
		pictures[filepath.Base(file)] = true
		if ops == "" {
			ops = "fit:300x300"
		}
		if !strings.Contains(ops, "format:") {
			ops += ",format:jpeg"
		}
		r, err := recipe.Parse("x=" + ops)
		if err != nil {
			t.Error(err)
			continue
		}
		res, err := e.Transform(context.Background(), photo, r)
		if err != nil {
			t.Errorf("%s: %v", ops, err)
			continue
		}
		if *updateDocs {
			if err := os.WriteFile(file, res.Outputs[0].Data, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%v (to make the pictures: go generate ./pkg/engine/reference)", err)
			continue
		}
		want, _, err := enginetest.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := enginetest.Decode(res.Outputs[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		if d := enginetest.PSNR(got, want); d < 32 {
			t.Errorf("%s shows something else than %s makes (%.0f dB)", file, ops, d)
		}
	}
	files, err := filepath.Glob(docs + "img/recipes/*")
	if err != nil || len(pictures) < 30 {
		t.Errorf("only %d pictures (%v)", len(pictures), err)
	}
	for _, f := range files {
		if !pictures[filepath.Base(f)] {
			t.Errorf("%s is not shown", f)
		}
	}
	if r, err := recipe.Parse("thumb=FIT:256,format:jpg"); err != nil || !strings.Contains(string(text),
		"\n    "+r.String()+"\n") {
		t.Errorf("the document does not have the canonical text %s (%v)", r, err)
	}
}
