package main

import (
	"fmt"
	"image"
	"image/gif"
	"sync"

	"github.com/imagefarm/imagefarm/testdata/gen/jpegenc"
	"github.com/imagefarm/imagefarm/testdata/gen/scenes"
)

// scene is a picture of a size, painted when first asked for.
func scene(paint func(w, h int) image.Image, w, h int) picture {
	return sync.OnceValue(func() image.Image { return paint(w, h) })
}

// photos lists the album: every format and kind of JPEG that people have, in pictures that are nice to look at.
func photos() []file {
	type opt = jpegenc.Options
	camera := [][]byte{exif(1)}
	full, half := [2]int{1, 1}, [2]int{2, 1} // 4:4:4 and 4:2:2; the default is 4:2:0
	list := []file{
		{"holiday/alpine-lake.jpg", scene(scenes.AlpineLake, 1600, 1200).jpeg(opt{Quality: 80, Segments: camera})},
		{"holiday/sunset-sail.jpg", scene(scenes.SunsetSail, 1200, 800).jpeg(opt{Quality: 80, Segments: camera})},
		{"holiday/dunes.jpg", scene(scenes.Dunes, 1080, 720).jpeg(opt{Quality: 78, Sampling: half})},
		{"holiday/first morning.jpg", scene(scenes.FirstMorning, 1024, 768).jpeg(opt{Quality: 80, Segments: camera})},
		{"holiday/été à la mer.jpg", scene(scenes.TropicalBay, 1080, 720).jpeg(opt{Quality: 80})},
		{"holiday/northern-lights.jpg", scene(scenes.NorthernLights, 1080, 720).jpeg(opt{Quality: 75,
			Progressive: true})},
		{"holiday/winter evening at the cabin.jpg", scene(scenes.WinterEvening, 1080, 720).jpeg(opt{Quality: 80})},
		{"holiday/mesas.jpg", scene(scenes.Mesas, 960, 640).jpeg(opt{Quality: 78, Restart: 8})},
		{"holiday/IMG_2041", scene(scenes.Lighthouse, 800, 600).jpeg(opt{Segments: camera})},
		{"nature/poppies.jpg", scene(scenes.Poppies, 1080, 720).jpeg(opt{Quality: 82, Progressive: true,
			Sampling: full})},
		{"nature/daisy.jpg", scene(scenes.Daisy, 900, 900).jpeg(opt{Quality: 82})},
		{"nature/autumn-lake.jpg", scene(scenes.AutumnLake, 960, 640).jpeg(opt{Quality: 78})},
		{"nature/foggy-pines.jpg", scene(scenes.FoggyPines, 640, 960).jpeg(opt{Quality: 80, Progressive: true})},
		{"nature/milky-way.jpg", scene(scenes.MilkyWay, 720, 1080).jpeg(opt{Quality: 75})},
		{"nature/storm.jpg", scene(scenes.Storm, 960, 640).jpeg(opt{Quality: 80, Segments: camera})},
		{"nature/moon.webp", func() ([]byte, error) { return webpLossless(scenes.Moon(240, 240)), nil }},
		{"city/skyline.jpg", scene(scenes.Skyline, 1200, 750).jpeg(opt{Quality: 78, Segments: camera})},
		{"city/night/river.jpg", scene(scenes.NightRiver, 1080, 720).jpeg(opt{Quality: 75})},
		{"city/night/rain.jpg", scene(scenes.RainWindow, 800, 1000).jpeg(opt{Quality: 82, Sampling: half,
			Progressive: true})},
		{"archive/1931-glacier.jpg", scene(scenes.Glacier, 900, 640).jpeg(opt{Quality: 75, Space: jpegenc.Gray})},
		{"archive/postcard.png", scene(scenes.Postcard, 320, 240).png8},
		{"archive/poster.png", scene(scenes.Poster, 480, 640).palettePNG(32)},
		{"archive/sunset-16bit.png", scene(scenes.SunsetSail, 200, 133).png},
		{"archive/poppies.gif", scene(scenes.Poppies, 320, 213).gif(128)},
		{"archive/beacon.gif", beacon},
		{"archive/lake.bmp", scene(scenes.AlpineLake, 240, 180).bmp},
		{"archive/storm.tif", scene(scenes.Storm, 240, 160).tiff},
	}
	lighthouse := scene(scenes.Lighthouse, 480, 360)
	for o := 1; o <= 8; o++ {
		turned := picture(func() image.Image { return stored(lighthouse(), o) })
		list = append(list, file{
			fmt.Sprintf("orientation/lighthouse_%d.jpg", o), turned.jpeg(opt{Quality: 75, Segments: [][]byte{exif(o)}}),
		})
	}
	for i := range list {
		list[i].path = "photos/" + list[i].path
	}
	return list
}

// beacon is the animation: one palette, a turn of the lamp in two seconds.
func beacon() ([]byte, error) {
	frames := scenes.Beacon(240, 160, 12)
	pal := medianCut(eightBit(frames[3]), 64)
	g := &gif.GIF{}
	for _, f := range frames {
		g.Image = append(g.Image, dither(f, pal))
		g.Delay = append(g.Delay, 16)
	}
	return encodeGIF(g)
}
