package engine

import (
	"errors"
	"slices"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// EachPage calls do for each page that variants ask for, with those variants, and joins the results (see Each).
func EachPage(r recipe.Recipe, do func(page int, r recipe.Recipe) (*Result, error)) (*Result, error) {
	return Each(r, func(v recipe.Variant) int { return v.Page }, func(page int, r recipe.Recipe) (*Result, error) {
		res, err := do(page, r)
		var why *outcome.Rejection
		if errors.As(err, &why) && why.Reason == outcome.NoSuchPage && len(r.Variants) > 0 {
			err = outcome.RejectVariant(r.Variants[0].Name, why.Reason, "%s", why.Detail)
		}
		return res, err
	})
}

// Each calls do for each group of variants that have one key, and joins the results in the recipe's order. Size and
// format of the result are those of the first variant's group. The first error of do is returned as it is.
func Each[K comparable](
	r recipe.Recipe, key func(recipe.Variant) K, do func(K, recipe.Recipe) (*Result, error),
) (*Result, error) {
	if len(r.Variants) == 0 {
		var none K
		return do(none, r)
	}
	var all *Result
	outputs := make([]Output, len(r.Variants))
	done := make(map[K]bool)
	for _, v := range r.Variants {
		group := key(v)
		if done[group] {
			continue
		}
		done[group] = true
		var part recipe.Recipe
		var places []int
		for i, w := range r.Variants {
			if key(w) == group {
				part.Variants, places = append(part.Variants, w), append(places, i)
			}
		}
		res, err := do(group, part)
		if err != nil {
			return nil, err
		}
		for i, at := range places {
			outputs[at] = res.Outputs[i]
		}
		if all == nil {
			all = res
			continue
		}
		all.Dropped = slices.Compact(slices.Sorted(slices.Values(append(all.Dropped, res.Dropped...))))
		all.Warnings.AddAll(res.Warnings)
		if all.Known == nil {
			all.Known = res.Known
		}
		all.Stages.Waited += res.Stages.Waited
		all.Stages.Decode += res.Stages.Decode
		all.Stages.Transform += res.Stages.Transform
		all.Stages.Encode += res.Stages.Encode
	}
	all.Outputs = outputs
	return all, nil
}
