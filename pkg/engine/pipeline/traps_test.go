package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/header"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	pkgjpeg "github.com/imagefarm/imagefarm/pkg/jpeg"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
)

// nobody fails every decoding, for an engine that must not need the general decoders.
type nobody struct{ codecs }

var errNobody = errors.New("left to the general decoders")

func (nobody) Decode(context.Context, []byte, header.Info, bool, func(reference.Frame) error) (outcome.Warnings,
	error) {
	return nil, errNobody
}

func alone(t testing.TB) *Engine {
	t.Helper()
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	e.general = nobody{e.general}
	return e
}

func general(t testing.TB) engine.Engine {
	t.Helper()
	e, err := reference.New(reference.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func outputs(t testing.TB, e engine.Engine, data []byte, variants ...string) []engine.Output {
	t.Helper()
	r := recipetest.Parse(t, variants...)
	res, err := e.Transform(t.Context(), data, r)
	if err != nil {
		t.Fatalf("%s: %v", r, err)
	}
	return res.Outputs
}

func decoded(t testing.TB, o engine.Output) *image.NRGBA {
	t.Helper()
	img, _, err := enginetest.Decode(o.Data)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func turned(img *image.NRGBA, orientation int, o enginetest.JPEGOptions) []byte {
	o.Segments = [][]byte{enginetest.Segment(0xe1, []byte("Exif\x00\x00"), enginetest.EXIF(orientation))}
	return enginetest.JPEG(enginetest.Stored(img, orientation), o)
}

func grayPhoto(w, h int) *image.Gray {
	photo := enginetest.Photo(w, h)
	img := image.NewGray(photo.Rect)
	for y := range h {
		for x := range w {
			img.Set(x, y, photo.At(x, y))
		}
	}
	return img
}

// grayJPEG has one component.
func grayJPEG(t testing.TB, img *image.Gray) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 92}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// At 1/8 only the scans of the DC coefficients are decoded, and these stand first.
func TestATruncatedProgressiveImageIsFoundThoughItsDCScansAreWhole(t *testing.T) {
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.ParseSizes("16")
	if err != nil {
		t.Fatal(err)
	}
	data := enginetest.JPEG(enginetest.Photo(400, 300), enginetest.JPEGOptions{Progressive: true})
	for tenth := 3; tenth < 10; tenth++ {
		res, err := e.Transform(t.Context(), data[:len(data)*tenth/10], r)
		var rejection *outcome.Rejection
		if res != nil || !errors.As(err, &rejection) || rejection.Reason != outcome.Truncated {
			t.Errorf("cut at %d0 %%: %v, want it truncated", tenth, err)
		}
	}
}

func TestSizesAreRightToThePixelAtEveryScaleAndOrientation(t *testing.T) {
	e := alone(t)
	for _, size := range []image.Point{{1, 1}, {1, 700}, {701, 1}, {17, 9}, {333, 251}, {640, 479}, {1027, 770}} {
		img := enginetest.Photo(size.X, size.Y)
		for o := 1; o <= 8; o++ {
			data := turned(img, o, enginetest.JPEGOptions{Progressive: o%2 == 0})
			for _, side := range []int{1, 2, 31, 64, 100, 255} {
				for _, to := range []string{"jpeg", "webp"} {
					op := fmt.Sprintf("x=fit:%dx%d,format:%s", side, side, to)
					r := recipetest.Parse(t, op)
					w, h, _ := r.Variants[0].Size(size.X, size.Y)
					out := outputs(t, e, data, op)[0]
					got := decoded(t, out).Rect.Size()
					if out.Width != w || out.Height != h || got != image.Pt(w, h) || out.Format != to {
						t.Errorf("%v, orientation %d, %s: said %d×%d, is %v, want %d×%d", size, o, op, out.Width, out.Height, got, w, h)
					}
				}
			}
		}
	}
}

// Odd sizes have a sample of colour more than half of luma, which a mirror puts at the wrong end.
func TestOddSizesAreTurnedWithTheirColours(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 202, 150))
	for y := range 150 {
		for x := range 202 {
			img.SetNRGBA(x, y, color.NRGBA{uint8(40 + 200*(x/20%2)), uint8(40 + 200*(y/20%2)), 90, 255})
		}
	}
	e := alone(t)
	upright := decoded(t, outputs(t, e, turned(img, 1, enginetest.JPEGOptions{}), "x=fit:101x75,quality:95")[0])
	for o := 2; o <= 8; o++ {
		got := decoded(t, outputs(t, e, turned(img, o, enginetest.JPEGOptions{}), "x=fit:101x75,quality:95")[0])
		if d := enginetest.PSNR(got, upright); d < 30 {
			t.Errorf("orientation %d: %.1f dB from the same picture stored upright", o, d)
		}
	}
}

// So are those that are not made smaller.
func TestOddSizesThatStayAreTurnedWithTheirColours(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 101, 75))
	for y := range 75 {
		for x := range 101 {
			img.SetNRGBA(x, y, color.NRGBA{uint8(128 + 100*math.Sin(float64(x)/6)), uint8(128 + 100*math.Sin(float64(y)/6)), 90,
				255})
		}
	}
	e := alone(t)
	worst := func(o int) float64 {
		return enginetest.PSNR(decoded(t, outputs(t, e, turned(img, o, enginetest.JPEGOptions{Quality: 95}),
			"x=format:jpeg,quality:95")[0]), img)
	}
	upright := worst(1)
	for o := 2; o <= 8; o++ {
		if d := worst(o); d < upright-1 {
			t.Errorf("orientation %d: %.1f dB from the picture, upright %.1f", o, d, upright)
		}
	}
}

func TestASmallVariantComesFromALargerOneOnlyWhenThatIsTwiceAsLarge(t *testing.T) {
	e := alone(t)
	data := enginetest.JPEG(enginetest.Photo(1100, 800), enginetest.JPEGOptions{})
	beside := outputs(t, e, data, "a=fit:64x64", "b=fit:256x256", "c=fit:200x200")
	by := outputs(t, e, data, "c=fit:200x200") // decoded at the same scale
	if !bytes.Equal(beside[2].Data, by[0].Data) {
		t.Error("200 pixels beside 256 are not what they are alone")
	}
	half := outputs(t, e, data, "a=fit:100x100", "b=fit:200x200")
	if by := outputs(t, e, data, "a=fit:100x100"); bytes.Equal(half[0].Data, by[0].Data) {
		t.Error("100 pixels beside 200 were not made from them: this test tells nothing")
	}
	for i, want := range []string{"a", "b", "c"} {
		if beside[i].Variant != want {
			t.Errorf("output %d is %q, want the recipe's order", i, beside[i].Variant)
		}
	}
}

// What becomes WebP is stored in another range; what is made from it afterwards must not be.
func TestAJPEGBesideALargerWebPKeepsItsColours(t *testing.T) {
	e := alone(t)
	img := enginetest.Photo(800, 600)
	data := enginetest.JPEG(img, enginetest.JPEGOptions{Quality: 95})
	made := outputs(t, e, data, "a=fit:400x400,format:webp,quality:95", "b=fit:100x100,quality:95")
	for _, o := range made {
		if d := enginetest.PSNR(decoded(t, o), enginetest.Shrunk(img, o.Width, o.Height)); d < 29 {
			t.Errorf("%s: %.1f dB from the picture", o.Variant, d)
		}
	}
}

func TestGrayStaysGray(t *testing.T) {
	e := alone(t)
	data := grayJPEG(t, grayPhoto(333, 222))
	made := outputs(t, e, data, "a=fit:101x101", "b=fit:50x50,format:webp")
	info, err := header.Read(made[0].Data)
	if err != nil || !info.Gray {
		t.Errorf("the JPEG has colours: %+v, %v", info, err)
	}
	img := decoded(t, made[1])
	for i := 0; i < len(img.Pix); i += 4 {
		if p := img.Pix[i:]; p[0] != p[1] || p[1] != p[2] {
			t.Fatalf("the WebP has the colour %v", p[:3])
		}
	}
}

func TestDoubtsAreLeftToTheGeneralDecoders(t *testing.T) {
	img := enginetest.Photo(80, 60)
	photo := enginetest.JPEG(img, enginetest.JPEGOptions{})
	damaged := append(bytes.Clone(photo[:len(photo)/2]), 0xff, 0xd9)
	r, err := recipe.ParseSizes("16")
	if err != nil {
		t.Fatal(err)
	}
	if res, err := alone(t).Transform(t.Context(), damaged, r); res != nil || !errors.Is(err, errNobody) {
		t.Errorf("%v", err)
	}
}

func TestAPanicLeavesTheImageToTheGeneralDecoders(t *testing.T) {
	e := alone(t)
	first := true
	e.spaces.New = func() any {
		if first {
			first = false
			return "no memory"
		}
		return new(space)
	}
	r, err := recipe.ParseSizes("16")
	if err != nil {
		t.Fatal(err)
	}
	data := enginetest.JPEG(enginetest.Photo(80, 60), enginetest.JPEGOptions{})
	if _, err := e.Transform(t.Context(), data, r); !errors.Is(err, errNobody) {
		t.Errorf("%v", err)
	}
}

func TestMemoryOfALargeImageIsGivenUpAfterManySmallOnes(t *testing.T) {
	var s space
	if !s.used(100 << 20) {
		t.Fatal("given up at once: a run of large images would be slow")
	}
	for i := range maxSmaller {
		kept := s.used(1 << 20)
		if last := i == maxSmaller-1; kept == last {
			t.Errorf("after %d small images: kept %v", i+1, kept)
		}
	}
	s = space{}
	for range 10 * maxSmaller {
		if !s.used(100<<20) || !s.used(1<<20) {
			t.Fatal("given up though large images come again and again")
		}
	}
	s = space{}
	s.used(10 << 20)
	for range 10 * maxSmaller {
		if !s.used(1) {
			t.Fatal("a little memory was given up")
		}
	}
}

// libjpeg warns of such a file, and decoders that do not look show a picture whose colours are shifted.
func TestAJPEGWithMoreDataThanItsPictureIsCorrupt(t *testing.T) {
	data := enginetest.JPEG(enginetest.Photo(320, 240), enginetest.JPEGOptions{})
	middle := len(data) / 2
	damaged := bytes.Clone(data)
	for n := range 200 { // until the damage gives fewer blocks
		damaged[middle+n] ^= 0x40
		if damaged[middle+n] == 0xff || data[middle+n] == 0xff || data[middle+n-1] == 0xff {
			damaged[middle+n] = data[middle+n]
			continue
		}
		var planes pkgjpeg.Planes
		err := pkgjpeg.Decode(&planes, damaged, pkgjpeg.Options{})
		var corrupt *pkgjpeg.CorruptError
		if errors.As(err, &corrupt) && corrupt.Surplus {
			break
		}
		if n == 199 {
			t.Fatal("no damage leaves data over")
		}
	}
	r, err := recipe.ParseSizes("64")
	if err != nil {
		t.Fatal(err)
	}
	for onTruncated, rejected := range map[string]bool{engine.RejectTruncated: true, engine.AcceptTruncated: false} {
		e, err := New(Config{Limits: engine.Limits{OnTruncated: onTruncated}})
		if err != nil {
			t.Fatal(err)
		}
		_, err = e.Transform(t.Context(), damaged, r)
		var rejection *outcome.Rejection
		if got := errors.As(err, &rejection) && rejection.Reason == outcome.Corrupt; got != rejected {
			t.Errorf("%s: %v", onTruncated, err)
		}
	}
}
