package main

import (
	"fmt"
	"image"
	"sync"

	"github.com/imagefarm/imagefarm/testdata/gen/jpegenc"
	"github.com/imagefarm/imagefarm/testdata/gen/scenes"
)

// scene is a picture of a size, painted when first asked for.
func scene(paint func(w, h int) image.Image, w, h int) picture {
	return sync.OnceValue(func() image.Image { return paint(w, h) })
}

func photos() []file {
	type opt = jpegenc.Options
	lighthouse := scene(scenes.AlpineLake, 480, 320)
	list := []file{
		{"holiday/alpine-lake.jpg", scene(scenes.AlpineLake, 1600, 1200).jpeg(opt{Quality: 82, Segments: [][]byte{exif(1)}})},
	}
	for o := 1; o <= 8; o++ {
		turned := picture(func() image.Image { return stored(lighthouse(), o) })
		list = append(list, file{
			fmt.Sprintf("orientation/lighthouse_%d.jpg", o), turned.jpeg(opt{Segments: [][]byte{exif(o)}}),
		})
	}
	for i := range list {
		list[i].path = "photos/" + list[i].path
	}
	return list
}
