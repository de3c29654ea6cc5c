package jpeg

import "fmt"

// UnsupportedError is returned for a JPEG file that is sound as far as was looked, but coded in a way that this
// package does not decode.
type UnsupportedError struct {
	Feature Feature
}

// Feature names what a file needs and this package does not do.
type Feature string

const (
	OddComponents   Feature = "a number of components that is not 1, 3 or 4"
	Precision12     Feature = "12-bit samples, which only Rows decodes"
	OddPrecision    Feature = "samples of neither 8 nor 12 bits"
	Reserved        Feature = "a way of coding that T.81 does not define"
	Lossless        Feature = "lossless coding"
	Hierarchical    Feature = "hierarchical coding"
	HeightAfterScan Feature = "the height after the first scan (DNL)"
)

func (e *UnsupportedError) Error() string { return "jpeg: unsupported: " + string(e.Feature) }

// TruncatedError is returned when the data ends before the image does. After a Decode the planes hold what came
// before; what is missing is mid-gray or, in a progressive file, lacks detail.
type TruncatedError struct {
	Offset int    // length of the data, bytes
	During string // what was being read: "header", "scan 2"
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("jpeg: data ends at byte %d, in %s", e.Offset, e.During)
}

// CorruptError is returned for data that no conforming encoder writes. After a Decode the planes hold what could be
// decoded; the rest is mid-gray or lacks detail. They are empty when the damage is in the header.
type CorruptError struct {
	Offset int    // of the marker segment or the scan's entropy-coded data in which the damage was seen, bytes
	Reason string // what is wrong, with the values that are

	// Surplus says that every sample was decoded, but that data was left over in a scan. Somewhere before, damaged data
	// gave fewer blocks than were coded, so parts of the picture are wrong or out of place.
	Surplus bool
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("jpeg: corrupt at byte %d: %s", e.Offset, e.Reason)
}

func corruptf(offset int, format string, args ...any) error {
	return &CorruptError{Offset: offset, Reason: fmt.Sprintf(format, args...)}
}
