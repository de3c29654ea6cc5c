package raster

import "fmt"

// UnsupportedError is returned for a file that is sound as far as it was read, but uses something that the reader does
// not know.
type UnsupportedError struct {
	Format  string // "PNG", "TIFF", "BMP"
	Feature string // what the file uses, in the words of its format: "compression 34661 (JBIG)"
}

func (e *UnsupportedError) Error() string {
	return e.Format + " with " + e.Feature + " is not supported"
}

// Unsupportedf returns an *UnsupportedError.
func Unsupportedf(format, feature string, args ...any) error {
	return &UnsupportedError{format, fmt.Sprintf(feature, args...)}
}

// TruncatedError is returned when the file ends before its picture does.
type TruncatedError struct {
	Format string
	During string // what was being read: "the header", "row 17 of 200"
}

func (e *TruncatedError) Error() string { return "the " + e.Format + " file ends within " + e.During }

// Truncatedf returns a *TruncatedError.
func Truncatedf(format, during string, args ...any) error {
	return &TruncatedError{format, fmt.Sprintf(during, args...)}
}

// CorruptError is returned for a file that no conforming program writes.
type CorruptError struct {
	Format string
	Offset int64  // of what is damaged, bytes from the beginning of the file; 0 where that is not known
	Reason string // what is wrong, with the values that are
}

func (e *CorruptError) Error() string {
	if e.Offset == 0 {
		return "the " + e.Format + " file is damaged: " + e.Reason
	}
	return fmt.Sprintf("the %s file is damaged at byte %d: %s", e.Format, e.Offset, e.Reason)
}

// Corruptf returns a *CorruptError.
func Corruptf(format string, offset int64, reason string, args ...any) error {
	return &CorruptError{format, offset, fmt.Sprintf(reason, args...)}
}

// TooLargeError is returned for a picture of more pixels than Options.MaxPixels.
type TooLargeError struct {
	Format        string
	Width, Height int64
	MaxPixels     int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the %s file has %d×%d pixels, more than %d", e.Format, e.Width, e.Height, e.MaxPixels)
}
