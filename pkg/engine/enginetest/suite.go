// Package enginetest is the conformance suite of engines: whatever transforms images passes it, or says what it does
// not take.
//
//	func TestConformance(t *testing.T) {
//		enginetest.Suite{New: …}.Run(t)
//	}
package enginetest

import (
	"context"
	"errors"
	"image"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// Suite is the conformance suite for one engine.
type Suite struct {
	// New makes an engine with limits and a directory of assets.
	New func(engine.Limits, fs.FS) (engine.Engine, error)

	// Takes reports whether the engine is meant for an input and a recipe; the parts that it does not take are
	// skipped. nil means everything.
	Takes func(inputFormat string, data []byte, r recipe.Recipe) bool

	// Plain says that the engine makes neither 16 bits a sample nor gain maps, and refuses what asks for them.
	Plain bool

	tested *words
}

// Run runs every part of the suite.
func (s Suite) Run(t *testing.T) {
	s.tested = &words{seen: make(map[string]bool)}
	for _, part := range []struct {
		name string
		run  func(*testing.T, Suite)
	}{
		{"Sizes", testSizes},
		{"Orientation", testOrientation},
		{"OrientationOff", testOrientationOff},
		{"JPEGKinds", testJPEGKinds},
		{"PNGKinds", testPNGKinds},
		{"OtherFormats", testOtherFormats},
		{"OddFiles", testOddFiles},
		{"RAW", testRAW},
		{"Pages", testPages},
		{"Depth", testDepth},
		{"Attached", testAttached},
		{"GainMaps", testGainMaps},
		{"StudioRange", testStudioRange},
		{"FirstFrames", testFirstFrames},
		{"Animations", testAnimations},
		{"Loops", testLoops},
		{"HiddenFrames", testHiddenFrames},
		{"Outputs", testOutputs},
		{"Transparency", testTransparency},
		{"JPEGSettings", testJPEGSettings},
		{"WebPSettings", testWebPSettings},
		{"AVIFSettings", testAVIFSettings},
		{"PaletteSettings", testPaletteSettings},
		{"MaxBytes", testMaxBytes},
		{"AutoQuality", testAutoQuality},
		{"Operations", testOperations},
		{"Gravity", testGravity},
		{"Trim", testTrim},
		{"Watermark", testWatermark},
		{"Color", testColor},
		{"ProfilesOfTables", testProfilesOfTables},
		{"Inks", testInks},
		{"UnusableProfiles", testUnusableProfiles},
		{"DisplayP3", testDisplayP3},
		{"Linear", testLinear},
		{"LinearOfProfiles", testLinearOfProfiles},
		{"Metadata", testMetadata},
		{"Facts", testFacts},
		{"Guards", testGuards},
		{"Partly", testPartly},
		{"Damaged", testDamaged},
		{"Truncated", testTruncated},
		{"Hostile", testHostile},
		{"SmallerFromLarger", testSmallerFromLarger},
		{"Context", testContext},
		{"Concurrency", testConcurrency},
		{"Farm", testFarmsFault},
		{"Goldens", testGoldens},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, s) })
	}
	t.Run("EveryWord", func(t *testing.T) { testEveryWord(t, s) })
}

// words are the words of recipes of which the engine has made an output.
type words struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (w *words) add(variants []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, word := range strings.FieldsFunc(strings.Join(variants, ";"),
		func(r rune) bool { return strings.ContainsRune(";,=:", r) }) {
		w.seen[word] = true
	}
}

// testEveryWord fails where a row of the recipe's tables has no case above it in which the engine made an output.
func testEveryWord(t *testing.T, s Suite) {
	if s.Takes != nil {
		t.Skip("the engine does not take everything")
	}
	for _, u := range recipe.Usages() {
		if !s.tested.seen[u.Word] {
			t.Errorf("no part of the suite tests %s", u.Word)
		}
	}
}

// assets are the watermarks that the suite uses: a red square, and something that is no image.
func assets() fs.FS {
	mark := image.NewNRGBA(image.Rect(0, 0, 10, 10))
	for i := range mark.Pix {
		mark.Pix[i] = [4]uint8{255, 0, 0, 255}[i%4]
	}
	return fstest.MapFS{"mark.png": {Data: PNG(mark)}, "Broken.png": {Data: []byte("nothing")}}
}

func (s Suite) engine(t *testing.T, l engine.Limits) engine.Engine {
	t.Helper()
	e, err := s.New(l, assets())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// try transforms with default limits. It skips the test where the engine does not take it.
func (s Suite) try(t *testing.T, data []byte, variants ...string) (*engine.Result, error) {
	t.Helper()
	return s.tryWith(t, engine.Limits{}, data, variants...)
}

func (s Suite) tryWith(t *testing.T, l engine.Limits, data []byte, variants ...string) (*engine.Result, error) {
	t.Helper()
	r := recipetest.Parse(t, variants...)
	if s.Takes != nil && !s.Takes(format.Detect(data), data, r) {
		t.Skipf("the engine is not meant for %s and %s", format.Detect(data), r)
	}
	before := append([]byte(nil), data...)
	res, err := s.engine(t, l).Transform(context.Background(), data, r)
	if string(before) != string(data) {
		t.Error("the input was changed")
	}
	if err == nil {
		s.tested.add(variants)
	}
	if err != nil && res != nil {
		t.Error("a result beside an error")
	}
	return res, err
}

// make transforms and fails the test where that does.
func (s Suite) make(t *testing.T, data []byte, variants ...string) *engine.Result {
	t.Helper()
	res, err := s.try(t, data, variants...)
	if err != nil {
		t.Fatalf("%v: %v", variants, err)
	}
	if len(res.Outputs) != len(recipetest.Parse(t, variants...).Variants) {
		t.Fatalf("%v: %d outputs", variants, len(res.Outputs))
	}
	return res
}

// one makes a single variant and decodes it.
func (s Suite) one(t *testing.T, data []byte, ops string) *image.NRGBA {
	t.Helper()
	out := s.make(t, data, "x="+ops).Outputs[0]
	img, f, err := Decode(out.Data)
	if err != nil {
		t.Fatalf("%s: %v", ops, err)
	}
	if f != out.Format || out.Variant != "x" {
		t.Errorf("%s: variant %q is %s, and calls itself %s", ops, out.Variant, f, out.Format)
	}
	if size := img.Rect.Size(); size.X != out.Width || size.Y != out.Height {
		t.Errorf("%s: %v pixels, and the result says %d×%d", ops, size, out.Width, out.Height)
	}
	return img
}

// near fails the test where two pictures differ by more than so many decibels.
func near(t *testing.T, what string, got, want *image.NRGBA, decibels float64) {
	t.Helper()
	if got.Rect.Size() != want.Rect.Size() {
		t.Errorf("%s: %v pixels, want %v", what, got.Rect.Size(), want.Rect.Size())
		return
	}
	if d := PSNR(got, want); d < decibels {
		t.Errorf("%s: %.1f dB from what it should be, at least %.0f wanted", what, d, decibels)
	}
}

func reasonOf(err error) outcome.Reason {
	var r *outcome.Rejection
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}

func (s Suite) rejects(t *testing.T, what string, l engine.Limits, data []byte, want outcome.Reason,
	variants ...string) {
	t.Helper()
	if len(variants) == 0 {
		variants = []string{"x=fit:8x8,format:jpeg"}
	}
	if _, err := s.tryWith(t, l, data, variants...); reasonOf(err) != want {
		t.Errorf("%s: %v, want a rejection as %s", what, err, want)
	}
}
