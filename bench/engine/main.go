// Command engine runs imagefarm's engine alone: no sockets, no ledger, two goroutines.
//
//	engine JOB1|JOB2|JOB3 OUTDIR FILE...
//
// It shows what the farm around the engine costs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/pipeline"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

// theEngine is the one that workers use.
func theEngine() (engine.Engine, error) {
	return pipeline.New(pipeline.Config{})
}

func run(args []string) error {
	if len(args) < 3 {
		return errors.New("name a job, a directory for the outputs, and files: engine JOB1|JOB2|JOB3 OUTDIR FILE…")
	}
	r, err := job(args[1])
	if err != nil {
		return err
	}
	e, err := theEngine()
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	files := make(chan string)
	failed := make([]error, 2)
	for k := range failed {
		wg.Go(func() {
			for name := range files {
				if err := thumbnails(e, r, name, args[2]); err != nil && failed[k] == nil {
					failed[k] = fmt.Errorf("%s: %w", name, err)
				}
			}
		})
	}
	for _, name := range args[3:] {
		files <- name
	}
	close(files)
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

func job(name string) (recipe.Recipe, error) {
	switch name {
	case "JOB1":
		return recipe.ParseSizes("64,128,256")
	case "JOB2":
		return recipe.ParseSizes("1280")
	case "JOB3":
		return recipe.Parse("web=fit:1280x1280,format:webp,quality:80")
	}
	return recipe.Recipe{}, fmt.Errorf("%q: JOB1, JOB2 or JOB3", name)
}

func thumbnails(e engine.Engine, r recipe.Recipe, name, out string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	made, err := e.Transform(context.Background(), data, r)
	if err != nil {
		return err
	}
	stem := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	for _, o := range made.Outputs {
		variant := strings.TrimPrefix(o.Variant, "thumbnail")
		if o.Variant == "web" {
			variant = "1280"
		}
		path := filepath.Join(out, fmt.Sprintf("%s_thumbnail%s.%s", stem, variant, strings.Replace(o.Format,
			"jpeg", "jpg", 1)))
		if err := os.WriteFile(path, o.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}
