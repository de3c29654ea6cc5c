// Command plain is the loop that everybody writes first: image/jpeg, and imaging.Fit for each thumbnail.
//
//	plain JOB1|JOB2 OUTDIR FILE...
//
// Two goroutines share the files.
package main

import (
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/disintegration/imaging"
)

func main() {
	sides := map[string][]int{"JOB1": {256, 128, 64}, "JOB2": {1280}}
	if len(os.Args) < 3 || sides[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: plain JOB1|JOB2 OUTDIR FILE...")
		os.Exit(2)
	}
	var wg sync.WaitGroup
	files := make(chan string)
	failed := make([]error, 2)
	for k := range failed {
		wg.Go(func() {
			for name := range files {
				if err := thumbnails(name, os.Args[2], sides[os.Args[1]]); err != nil && failed[k] == nil {
					failed[k] = fmt.Errorf("%s: %w", name, err)
				}
			}
		})
	}
	for _, name := range os.Args[3:] {
		files <- name
	}
	close(files)
	wg.Wait()
	for _, err := range failed {
		if err != nil {
			fmt.Fprintln(os.Stderr, "plain:", err)
			os.Exit(1)
		}
	}
}

func thumbnails(name, out string, sides []int) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	img, err := jpeg.Decode(f)
	if err != nil {
		return err
	}
	stem := strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	for _, side := range sides {
		small := imaging.Fit(img, side, side, imaging.Lanczos)
		if err := save(filepath.Join(out, fmt.Sprintf("%s_thumbnail%d.jpg", stem, side)), small); err != nil {
			return err
		}
	}
	return nil
}

func save(name string, m image.Image) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	return jpeg.Encode(f, m, &jpeg.Options{Quality: 85})
}
