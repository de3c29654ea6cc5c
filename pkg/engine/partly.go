package engine

import (
	"errors"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Partly calls do with a recipe, and when one variant cannot be made, again without that one. The result has the
// refused variants in their places. The error is the one of do; where no variant is left it is the last refusal.
func Partly(r recipe.Recipe, do func(recipe.Recipe) (*Result, error)) (*Result, error) {
	refused := make(map[string]*outcome.Rejection)
	left := r
	for {
		res, err := do(left)
		var why *outcome.Rejection
		if err == nil {
			return joined(r, res, refused), nil
		}
		if !errors.As(err, &why) || why.Variant == "" || len(left.Variants) < 2 {
			return nil, err
		}
		kept := slices.DeleteFunc(slices.Clone(left.Variants), func(v recipe.Variant) bool { return v.Name == why.Variant })
		if len(kept) == len(left.Variants) {
			return nil, err
		}
		refused[why.Variant], left.Variants = why, kept
	}
}

// joined puts the outputs of a result into the places of their variants, with the refused ones between them.
func joined(r recipe.Recipe, res *Result, refused map[string]*outcome.Rejection) *Result {
	if len(refused) == 0 {
		return res
	}
	outputs := make([]Output, 0, len(r.Variants))
	made := res.Outputs
	for _, v := range r.Variants {
		if why := refused[v.Name]; why != nil {
			outputs = append(outputs, Output{Variant: v.Name, Refused: why})
			continue
		}
		outputs, made = append(outputs, made[0]), made[1:]
	}
	res.Outputs = outputs
	return res
}
