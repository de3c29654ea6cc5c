package raster

import "fmt"

// Image is a picture in memory, for an encoder. Samples are interleaved; those of 16 bits have their high byte first.
type Image struct {
	Pix           []byte
	Stride        int // bytes from a row to the next
	Width, Height int
	Channels      int // 1 gray, 2 gray and alpha, 3 red, green and blue, 4 these and alpha, not multiplied by it
	Depth         int // 8 or 16
}

// Row returns the samples of row y.
func (img *Image) Row(y int) []byte {
	return img.Pix[y*img.Stride:][:img.Width*img.Channels*img.Depth/8]
}

// Validate returns an error if the image makes no sense.
func (img *Image) Validate() error {
	row := img.Width * img.Channels * img.Depth / 8
	switch {
	case img.Channels < 1 || img.Channels > 4:
		return fmt.Errorf("Channels is %d: it must be 1 to 4", img.Channels)
	case img.Depth != 8 && img.Depth != 16:
		return fmt.Errorf("Depth is %d: it must be 8 or 16", img.Depth)
	case img.Width < 1 || img.Height < 1:
		return fmt.Errorf("the picture has %d×%d pixels", img.Width, img.Height)
	case img.Stride < row || len(img.Pix) < (img.Height-1)*img.Stride+row:
		return fmt.Errorf("Pix has %d bytes and a stride of %d, too few for %d×%d pixels", len(img.Pix), img.Stride,
			img.Width, img.Height)
	}
	return nil
}
