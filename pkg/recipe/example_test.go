package recipe_test

import (
	"errors"
	"fmt"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func ExampleParse() {
	r, err := recipe.Parse("thumb=fit:256", "hero=fill:1200x400:smart,format:webp")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range r.Variants {
		fmt.Println(v)
	}
	// Output:
	// thumb=fit:256x256,orient:auto,enlarge:no,background:ffffff,animate:no,format:same,strip:all,icc:srgb
	// hero=fill:1200x400:smart,orient:auto,enlarge:no,background:ffffff,animate:no,format:webp,quality:80,strip:all,icc:srgb
}

func ExampleRecipe_OutputNames() {
	r, err := recipe.Parse("thumb=fit:256x256,format:webp", "hero=fill:1200x400")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.OutputNames("2024/a.jpeg"))
	// Output:
	// [2024/a_thumb.webp 2024/a_hero.jpeg]
}

func ExampleVariant_Size() {
	r, err := recipe.Parse("fit:256x256", "trim,fit:256x256")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range r.Variants {
		fmt.Println(v.Size(4000, 3000))
	}
	// Output:
	// 256 192 true
	// 256 192 false
}

func ExampleSyntaxError() {
	_, err := recipe.Parse("thumb=fti:256x256")
	if e := (*recipe.SyntaxError)(nil); errors.As(err, &e) {
		fmt.Println(e.Pointer())
		fmt.Println(e.Problem + "; " + e.Hint)
	}
	// Output:
	// thumb=fti:256x256
	//       ^^^
	// unknown operation "fti"; did you mean "fit"?
}
