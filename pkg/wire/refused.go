package wire

import (
	"slices"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// RefusedVariant is a variant that could not be made of an image, while others were.
type RefusedVariant struct {
	Variant string         `msgpack:"variant" json:"variant"`
	Reason  outcome.Reason `msgpack:"reason" json:"reason"`
	Detail  string         `msgpack:"detail,omitempty" json:"detail,omitempty"` // a sentence for people
}

// Sentence says which variant was not made and why.
func (v RefusedVariant) Sentence() string {
	s := "variant " + v.Variant + " was not made: " + string(v.Reason)
	if v.Detail != "" {
		s += ": " + v.Detail
	}
	return s
}

// Notes returns what is to be said of an image that is done: its warnings, and why variants of it were not made.
func (r *Receipt) Notes() []string {
	notes := slices.Clone([]string(r.Warnings))
	for _, v := range r.Refused {
		notes = append(notes, v.Sentence())
	}
	return notes
}

// MaxRefusedDetail is how many bytes of a refused variant's detail a result has.
const MaxRefusedDetail = 512

func checkRefused(all []RefusedVariant) error {
	if len(all) > MaxOutputs {
		return malformed("%d refused variants, at most %d", len(all), MaxOutputs)
	}
	for _, v := range all {
		if v.Variant == "" || len(v.Variant) > MaxFormat || len(v.Detail) > MaxRefusedDetail {
			return malformed("a refused variant's name of %d bytes, or its detail of %d", len(v.Variant), len(v.Detail))
		}
		if _, err := outcome.ParseReason(string(v.Reason)); err != nil {
			return malformed("%v", err)
		}
	}
	return nil
}
