package cli

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// refuseMissingAssets refuses a recipe whose watermarks are not in dir. Otherwise every image would fail.
func refuseMissingAssets(dir string, r recipe.Recipe) error {
	for _, v := range r.Variants {
		for _, o := range v.Ops {
			if o.Asset == "" {
				continue
			}
			if dir == "" {
				return usagef("variant %s needs the watermark %q: name its directory with --assets", v.Name, o.Asset)
			}
			if _, err := os.Stat(filepath.Join(dir, o.Asset)); err != nil {
				return usagef("variant %s needs the watermark %q: %v", v.Name, o.Asset, err)
			}
		}
	}
	return nil
}

func recipeFlags() []cli.Flag {
	return []cli.Flag{
		text(whatToMake, "size", "", "thumbnails that fit in squares of `SIZES` (default: 64,128,256)"),
		texts(whatToMake, "variant", "output as `NAME=OPS`, e.g. 'web=fit:1280x1280,format:webp'; repeatable"),
		texts(whatToMake, "preset", "read NAME=OPS lines from `FILE`; repeatable"),
	}
}

// recipeOf returns the recipe of recipeFlags.
func recipeOf(c *cli.Command) (recipe.Recipe, error) {
	variants := slices.Clone(c.StringSlice("variant"))
	for _, path := range c.StringSlice("preset") {
		file, err := os.Open(path)
		if err != nil {
			return recipe.Recipe{}, usagef("--preset: %v", err)
		}
		more, err := recipe.ReadPreset(file)
		file.Close()
		if err != nil {
			return recipe.Recipe{}, usagef("--preset %s: %v", path, err)
		}
		if _, err := recipe.Parse(more...); err != nil { // parsed here, so that the error names the file
			return recipe.Recipe{}, usagef("--preset %s: %v", path, err)
		}
		variants = append(variants, more...)
	}
	var all recipe.Recipe
	if size := c.String("size"); size != "" {
		r, err := recipe.ParseSizes(size)
		if err != nil {
			return recipe.Recipe{}, usagef("--size: %v", err)
		}
		all = r
	}
	if len(variants) > 0 {
		r, err := recipe.Parse(variants...)
		if err != nil {
			return recipe.Recipe{}, usagef("--variant: %v", err)
		}
		all.Variants = append(all.Variants, r.Variants...)
	}
	if len(all.Variants) == 0 {
		return recipe.Default(), nil
	}
	return recipe.ParseCanonical(all.String()) // checks sizes and variants together
}
