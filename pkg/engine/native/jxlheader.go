package native

import "errors"

// Errors of JXL.
var (
	ErrJXLCut     = errors.New("it ends before its picture does")
	ErrJXLDamaged = errors.New("libjxl cannot decode it")
	ErrJXLCurve   = errors.New("a transfer curve of high dynamic range without loss")
)

// JXLHeader is what a JPEG XL file says before its pixels.
type JXLHeader struct {
	Width, Height int // as stored
	Orientation   int // 1 to 8 as EXIF numbers them
	Gray, Alpha   bool
	Animated      bool
	Frames        int    // 1 of a still
	ICC           []byte // of the pixels that Decode returns
}
