package pipeline

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
)

// A variant that was enlarged has no more detail than the image, and is no source for others. The small one needs a
// full decode when it is alone, too.
func TestAnEnlargedVariantDoesNotSpoilOthers(t *testing.T) {
	data := enginetest.JPEG(enginetest.Photo(100, 75), enginetest.JPEGOptions{})
	e := alone(t)
	beside := outputs(t, e, data, "big=fit:800x800,enlarge:yes", "small=fit:70x70", "same=format:png")
	for i, v := range []string{"small=fit:70x70", "same=format:png"} {
		if alone := outputs(t, e, data, v)[0]; !bytes.Equal(alone.Data, beside[i+1].Data) {
			t.Errorf("%s is another picture beside an enlarged one", v)
		}
	}
}

// Transparent pixels have colours that must not show at the edge of what is opaque.
func TestTransparentColoursDoNotBleed(t *testing.T) {
	img := chessboard(640, 480, 5, 5)
	e := alone(t)
	for _, op := range []string{"fit:320x320", "fit:100x100", "fit:64x64", "fill:50x50", "fit:900x900,enlarge:yes"} {
		got := decoded(t, outputs(t, e, enginetest.PNG(img), "x="+op+",format:png")[0])
		for i := 0; i < len(got.Pix); i += 4 {
			if p := got.Pix[i : i+4]; p[3] > 8 && min(p[0], p[1], p[2]) < 240 {
				t.Errorf("%s: a pixel is %v", op, p)
				break
			}
		}
	}
}

// Colours under low alpha must not be rounded where nothing is averaged.
func TestTransparentPixelsThatStayKeepTheirColours(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 64, 64))
	for y := range 64 {
		for x := range 64 { // more colours than a palette has
			img.SetNRGBA(x, y, color.NRGBA{uint8(4 * x), uint8(4 * y), uint8(x + y), uint8(x*y + 1)})
		}
	}
	data := enginetest.PNG(img)
	for _, op := range []string{"", "fit:100x100,", "crop:64x64,", "orient:off,"} {
		got := decoded(t, outputs(t, alone(t), data, "x="+op+"format:png")[0])
		if !bytes.Equal(got.Pix, img.Pix) {
			t.Errorf("%q: the pixels changed", op)
		}
	}
}

func TestRangesAreInverse(t *testing.T) {
	for v := range 256 {
		luma, chroma := int(fullLuma[limitedLuma[v]]), int(fullChroma[limitedChroma[v]])
		if max(luma-v, v-luma) > 1 || max(chroma-v, v-chroma) > 1 {
			t.Errorf("%d becomes %d as luma and %d as a colour difference", v, luma, chroma)
		}
	}
	if fullLuma[16] != 0 || fullLuma[235] != 255 || fullLuma[0] != 0 || fullChroma[128] != 128 ||
		limitedChroma[128] != 128 {
		t.Error("black, white or neutral is not what it should be")
	}
}

// Lossy WebP has the limited range, and is made to WebP and to JPEG without becoming RGB.
func TestAWebPKeepsItsColours(t *testing.T) {
	img := enginetest.Photo(400, 300)
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"fit:200x200,format:webp,quality:95", "fit:200x200,format:jpeg,quality:95",
		"fit:200x200,gray,format:jpeg,quality:95"} {
		got := decoded(t, outputs(t, e, enginetest.WebP(img), "x="+op)[0])
		want := decoded(t, outputs(t, general(t), enginetest.WebP(img), "x="+op)[0])
		if d := enginetest.PSNR(got, want); d < 38 {
			t.Errorf("%s: %.1f dB from the reference", op, d)
		}
	}
}
