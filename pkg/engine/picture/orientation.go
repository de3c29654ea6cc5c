package picture

// Orientation says where a displayed pixel is stored: at column x and row y, or at column y and row x where Swap is
// set, counted from the right where FlipX is set and from the bottom where FlipY is.
type Orientation struct{ Swap, FlipX, FlipY bool }

// EXIF returns the orientation that EXIF gives a number from 1 to 8. Other numbers are taken for 1.
func EXIF(number int) Orientation {
	switch number {
	case 2:
		return Orientation{FlipX: true}
	case 3:
		return Orientation{FlipX: true, FlipY: true}
	case 4:
		return Orientation{FlipY: true}
	case 5:
		return Orientation{Swap: true}
	case 6:
		return Orientation{Swap: true, FlipY: true}
	case 7:
		return Orientation{Swap: true, FlipX: true, FlipY: true}
	case 8:
		return Orientation{Swap: true, FlipX: true}
	}
	return Orientation{}
}

// Then returns the orientation of a picture that is displayed by o and turned by next after that.
func (o Orientation) Then(next Orientation) Orientation {
	if o.Swap {
		next.FlipX, next.FlipY = next.FlipY, next.FlipX
	}
	return Orientation{
		Swap:  o.Swap != next.Swap,
		FlipX: o.FlipX != next.FlipX,
		FlipY: o.FlipY != next.FlipY,
	}
}

// Upright reports whether the picture is displayed as it is stored.
func (o Orientation) Upright() bool { return o == Orientation{} }
