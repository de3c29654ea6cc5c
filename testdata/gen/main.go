// Command gen makes the images under testdata: photos/, which are nice to look at, and hostile/, which are not.
//
//	go run ./testdata/gen            # rewrites testdata/photos and testdata/hostile
//	go run ./testdata/gen -out DIR   # writes photos and hostile under DIR
//
// Every picture is computed from a seed, so nothing here was ever anybody's, and running it again gives the same
// pictures. It takes about a minute on two cores.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

// file is one file to write; make is called once.
type file struct {
	path string // under the output directory, slash-separated
	make func() ([]byte, error)
}

func main() {
	out := flag.String("out", "testdata", "directory that receives photos and hostile")
	only := flag.String("only", "", "pattern of paths to write, as in photos/holiday/*; all when empty")
	flag.Parse()
	if err := run(*out, *only); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(out, only string) error {
	total := 0
	for _, f := range append(photos(), hostile()...) {
		if only != "" {
			if ok, err := filepath.Match(only, f.path); err != nil {
				return fmt.Errorf("-only %q: %w", only, err)
			} else if !ok {
				continue
			}
		}
		data, err := f.make()
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		name := filepath.Join(out, filepath.FromSlash(f.path))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			return err
		}
		fmt.Printf("%8d  %s\n", len(data), f.path)
		total += len(data)
	}
	fmt.Printf("%8d  in all\n", total)
	return nil
}
