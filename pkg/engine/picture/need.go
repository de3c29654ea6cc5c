package picture

// Need is what is needed of a picture that is decoded.
type Need struct {
	// Width and Height are how fine it must be at least, in samples of its finest component; 0×0 means the whole.
	Width, Height int
	// Exact says that no encoder will lose what a decoder could leave out.
	Exact bool
}
