// Package engine turns the bytes of one image into the bytes of its variants.
package engine

import (
	"context"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Engine transforms images. An Engine is safe for use by several goroutines.
type Engine interface {
	// Name is the word by which flags and results call the engine.
	Name() string

	// Transform decodes data once and makes every variant of r, in r's order.
	//
	// data is the whole encoded image; Transform does not keep or change it. The context is looked at between steps:
	// a decode cannot be interrupted (package isolate can).
	//
	// The error is an *outcome.Rejection when the image is at fault, the context's cause when it ended, and anything
	// else when the farm is at fault. With an error the Result is nil. A variant that cannot be made of the image is
	// Refused beside the others; the error is its Rejection when no variant is left.
	Transform(ctx context.Context, data []byte, r recipe.Recipe) (*Result, error)
}

// Result is what a transform made.
type Result struct {
	Outputs []Output // one for each variant of the recipe, in its order
	Format  string   // what the input was: "jpeg", "png", …
	Width   int      // of the input as displayed, that is, after orientation
	Height  int
	Dropped []string // metadata of the input that no output carries: "exif", "xmp", "icc", …; sorted
	Stages  Stages

	Known    *known.Facts     // what is known of the input, but for its SHA256; nil: nothing
	Warnings outcome.Warnings // what is wrong with the input though the outputs were made, or could not be kept of it
}

// Output is one encoded variant.
type Output struct {
	Variant string // the variant's name in the recipe
	Format  string // what Data is: "jpeg", "png", …
	Width   int
	Height  int
	Data    []byte
	Quality int // that quality:auto or max-bytes chose; 0: the recipe says it, or the format has none

	Refused *outcome.Rejection // why the variant was not made; then there is nothing but its name. nil: it was made
}

// Stages tells where a transform's time went (wall clock, all variants together).
type Stages struct {
	Waited    time.Duration // for its turn, before it began
	Decode    time.Duration
	Transform time.Duration
	Encode    time.Duration
}

// Limits guard a transform; they are checked against the header, before pixels are decoded.
// A zero field means its default.
type Limits struct {
	MaxBytes    int64  // of the encoded image; default 64 MiB
	MaxPixels   int64  // width × height × frames decoded; default 250e6
	MaxSide     int    // width or height, pixels; default 65,535
	MaxFrames   int    // of an animation, whether it is kept or not; default 1,000
	OnTruncated string // "reject" (default) or "accept": keep what there is (JPEG, PNG, TIFF, BMP, frames of GIF and WebP)
}
