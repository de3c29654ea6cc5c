package jpeg_test

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"

	"github.com/imagefarm/imagefarm/pkg/jpeg"
)

// A thumbnail of 256 pixels needs no more than an eighth of a photograph's width and height.
func ExampleDecode() {
	var photo bytes.Buffer
	img := image.NewYCbCr(image.Rect(0, 0, 1600, 1200), image.YCbCrSubsampleRatio420)
	if err := stdjpeg.Encode(&photo, img, nil); err != nil {
		fmt.Println(err)
		return
	}
	var planes jpeg.Planes
	if err := jpeg.Decode(&planes, photo.Bytes(), jpeg.Options{Scale: jpeg.Eighth}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("luma %d×%d, chroma %d×%d\n", planes.Y.Width, planes.Y.Height, planes.Cb.Width, planes.Cb.Height)
	// Output: luma 200×150, chroma 100×75
}
