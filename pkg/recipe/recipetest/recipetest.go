// Package recipetest parses recipes for tests.
package recipetest

import (
	"testing"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Parse returns the recipe of some variants. It ends the test if one of them is wrong.
func Parse(t testing.TB, variants ...string) recipe.Recipe {
	t.Helper()
	r, err := recipe.Parse(variants...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Canonical returns the canonical text of the recipe of some variants. It ends the test if one of them is wrong.
func Canonical(t testing.TB, variants ...string) string {
	t.Helper()
	return Parse(t, variants...).String()
}
