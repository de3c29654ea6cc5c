package outcome

import (
	"fmt"
	"slices"
)

// The limits of the warnings about one image.
const (
	MaxWarnings = 16  // sentences
	MaxWarning  = 256 // bytes of each
)

// Warnings says what is wrong with an image whose outputs were made all the same: a sentence each, without the file's
// name. At most MaxWarnings of at most MaxWarning bytes are kept.
type Warnings []string

// Add adds a formatted sentence, unless it is there already or there is no room. It cuts what is too long, and
// replaces what is not plain text.
func (w *Warnings) Add(format string, args ...any) {
	s := Clip(fmt.Sprintf(format, args...), MaxWarning)
	if s == "" || len(*w) == MaxWarnings || slices.Contains(*w, s) {
		return
	}
	*w = append(*w, s)
}

// AddAll adds sentences as Add does.
func (w *Warnings) AddAll(all []string) {
	for _, s := range all {
		w.Add("%s", s)
	}
}

// Check returns an error that says which limit w exceeds.
func (w Warnings) Check() error {
	if len(w) > MaxWarnings {
		return fmt.Errorf("%d warnings, at most %d", len(w), MaxWarnings)
	}
	for _, s := range w {
		if s == "" || len(s) > MaxWarning {
			return fmt.Errorf("a warning has %d bytes, not 1 to %d", len(s), MaxWarning)
		}
	}
	return nil
}
