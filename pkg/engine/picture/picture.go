// Package picture holds decoded pixels as planes of 8-bit samples, the form in which decoders hand pictures to the
// engine and in which the engine resamples and encodes them. A component keeps the resolution at which it was coded.
package picture

// Model says what the planes of a picture are.
type Model int

// The models. Their planes come in the order of the name.
const (
	Gray  Model = iota // one plane
	YCbCr              // luma and two of colour difference, by the picture's Matrix and range
	RGB
	CMYK // as Adobe's programs code it, 255 being no ink, so that red is about C·K/255
	YCCK // YCbCr of the inks C, M and Y, 255 being full; and K as in CMYK
)

// planes is the number of planes of each model, without alpha.
var planes = [...]int{Gray: 1, YCbCr: 3, RGB: 3, CMYK: 4, YCCK: 4}

// Planes returns how many planes a model has, without alpha.
func (m Model) Planes() int { return planes[m] }

// Matrix says how YCbCr is made from RGB. The zero value is that of JPEG.
type Matrix int

// The matrices, of which H.273 has the numbers.
const (
	BT601  Matrix = iota
	BT709         // number 1
	BT2020        // numbers 9 and 10
)

// Picture is a decoded picture, or a smaller one made of it.
type Picture struct {
	Model  Model
	Planes []Plane // as many as the model has

	// Alpha is the plane of opacity, 255 opaque. nil: all is opaque.
	Alpha *Plane
	// Premultiplied says that the samples of Gray and RGB were multiplied by alpha.
	Premultiplied bool

	Matrix  Matrix // of YCbCr
	Limited bool   // of YCbCr and Gray: black is 16 and white 235, colour differences are 16 to 240
}

// Plane is one component. Row y is Pix[y*Stride:][:Width].
type Plane struct {
	Pix           []byte
	Stride        int
	Width, Height int // in samples

	// Across and Down say where the picture lies among the samples. A plane of half the resolution of a picture that is
	// 5 pixels wide has 3 samples, and the picture spans 2.5 of them.
	Across, Down Span
}

// Span is a range of samples; sample i covers i to i+1.
type Span struct{ Begin, Length float64 }

// Width returns the samples in a row of the finest component, which is the first.
func (p *Picture) Width() int { return p.Planes[0].Width }

// Height returns the rows of the finest component, which is the first.
func (p *Picture) Height() int { return p.Planes[0].Height }

// Whole returns a plane of w×h samples, all of them the picture's, in memory of that size.
func Whole(pix []byte, w, h int) Plane {
	return Plane{
		Pix: pix[: w*h : w*h], Stride: w, Width: w, Height: h,
		Across: Span{0, float64(w)}, Down: Span{0, float64(h)},
	}
}
