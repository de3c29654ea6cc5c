//go:build unix

package processes

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// negatives are the few different JPEGs of which albums are made: each takes a worker some tens of milliseconds.
var negatives = sync.OnceValue(func() (all [][]byte) {
	for k := range 5 {
		img := image.NewYCbCr(image.Rect(0, 0, 1200, 900), image.YCbCrSubsampleRatio420)
		for i := range img.Y {
			x, y := float64(i%img.YStride), float64(i/img.YStride)
			img.Y[i] = uint8(128 + 60*math.Sin(x/float64(20+7*k)) + 60*math.Cos(y/float64(11+5*k)+x/90))
		}
		for i := range img.Cb {
			img.Cb[i], img.Cr[i] = uint8(64+i%img.CStride/5), uint8(64+30*k+i/img.CStride/8)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			panic(err) // into memory
		}
		all = append(all, b.Bytes())
	}
	return all
})

// album makes a directory of n photographs with different names, 20 in each of its directories.
func album(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		write(t, filepath.Join(dir, fmt.Sprintf("roll%02d", i/20), fmt.Sprintf("photo%03d.jpg", i)), negatives()[i%5])
	}
	return dir
}

// picture is a small JPEG of one colour.
func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 300, 200))
	for i := range img.Pix {
		img.Pix[i] = shade
	}
	img.SetGray(0, 0, color.Gray{Y: ^shade})
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
