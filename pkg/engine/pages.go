package engine

import (
	"slices"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// EachPage calls do for each page that variants ask for, with those variants, and joins the results in the recipe's
// order. Size and format of the result are those of the page that the first variant is made of. The first error of do is
// returned as it is.
func EachPage(r recipe.Recipe, do func(page int, r recipe.Recipe) (*Result, error)) (*Result, error) {
	if len(r.Variants) == 0 {
		return do(0, r)
	}
	var all *Result
	outputs := make([]Output, len(r.Variants))
	done := make(map[int]bool)
	for _, v := range r.Variants {
		if done[v.Page] {
			continue
		}
		done[v.Page] = true
		var part recipe.Recipe
		var places []int
		for i, w := range r.Variants {
			if w.Page == v.Page {
				part.Variants, places = append(part.Variants, w), append(places, i)
			}
		}
		res, err := do(v.Page, part)
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
		all.Stages.Waited += res.Stages.Waited
		all.Stages.Decode += res.Stages.Decode
		all.Stages.Transform += res.Stages.Transform
		all.Stages.Encode += res.Stages.Encode
	}
	all.Outputs = outputs
	return all, nil
}
