//go:build linux

// Command memory prints how much memory the isolated child takes up that makes thumbnails of one photograph of twelve
// megapixels: go run ./bench/memory [-size 64,128,256] [FILE…]. Without files it makes its own: PNG, TIFF and JPEG.
//
// The figures are in MiB, from /proc/PID. The first is the peak of the child's resident memory, its start included
// (VmHWM). The others are the largest that was seen while the child had an image: its resident memory (VmRSS) and the
// parts of that: its own memory (RssAnon); pages of the program's and libraries' files (RssFile), which are in memory
// once for all processes; and the image and the outputs (RssShmem), which the child shares with its parent. The last is
// its share (Pss): each page divided by the number of processes that have it, which are the parent and this child. Only
// the child's own memory grows with the number of children.
//
// The program is copied before it runs, as by any installation. The file that the linker has written lies in the page
// cache in pieces of 2 MiB, and Linux maps such a piece whole.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"log"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/tiff"
)

func main() {
	size := flag.String("size", "64,128,256", "thumbnails to make")
	flag.Parse()
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "memory")
	if err != nil {
		log.Fatal(err)
	}
	if err := errors.Join(run(dir, *size, flag.Args()), os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
}

func run(dir, size string, files []string) error {
	linked := dir + "/linked"
	for _, args := range [][]string{{"go", "build", "-o", linked, "./farm"}, {"cp", linked, dir + "/farm"}} {
		build := exec.Command(args[0], args[1:]...)
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building, in the module's directory: %s: %w", args[0], err)
		}
	}
	if len(files) == 0 {
		var err error
		if files, err = photographs(dir); err != nil {
			return err
		}
	}
	fmt.Println("| input | bytes | peak with the start | at work | its own | program and libraries | image and outputs " +
		"| share |\n|---|--:|--:|--:|--:|--:|--:|--:|")
	for i, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		peak, err := measure(dir, file, size, i)
		if err != nil {
			return err
		}
		mib := func(n int64) float64 { return float64(n) / (1 << 20) }
		fmt.Printf("| %s | %d | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f |\n", filepath.Base(file), info.Size(),
			mib(peak.peak), mib(peak.all), mib(peak.own), mib(peak.files), mib(peak.shared), mib(peak.share))
	}
	return nil
}

// usage is memory in bytes: the peak since the start, and what there is now.
type usage struct{ peak, all, own, files, shared, share int64 }

func (u usage) larger(v usage) usage {
	return usage{max(u.peak, v.peak), max(u.all, v.all), max(u.own, v.own), max(u.files, v.files),
		max(u.shared, v.shared), max(u.share, v.share)}
}

// measure runs the farm over one image and returns the largest use of memory of its children.
func measure(dir, file, size string, n int) (peak usage, err error) {
	in, out := filepath.Join(dir, "in", strconv.Itoa(n)), filepath.Join(dir, "out", strconv.Itoa(n))
	if err := os.MkdirAll(in, 0o755); err != nil {
		return usage{}, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return usage{}, err
	}
	if err := os.WriteFile(filepath.Join(in, filepath.Base(file)), data, 0o600); err != nil {
		return usage{}, err
	}
	var said bytes.Buffer
	cmd := exec.Command(dir+"/farm", "run", "--quiet", "--progress", "none", "--http", "", "--slots", "1", "--size", size,
		"--out", out, in)
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return usage{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			if err != nil {
				return usage{}, fmt.Errorf("farm run: %w: %s", err, &said)
			}
			if peak == (usage{}) {
				return usage{}, errors.New("no child of farm run was seen")
			}
			return peak, nil
		case <-tick.C:
			peak = peak.larger(ofChildren(cmd.Process.Pid))
		}
	}
}

// ofChildren returns the largest use of memory of the children of a process.
func ofChildren(pid int) (peak usage) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return usage{}
	}
	for _, t := range tasks {
		list, err := os.ReadFile(t)
		if err != nil {
			continue // the thread has ended
		}
		for child := range strings.FieldsSeq(string(list)) {
			peak = peak.larger(of(child))
		}
	}
	return peak
}

// of returns the use of memory of a process. Without an image it is the peak alone.
func of(pid string) (u usage) {
	status := kilobytes("/proc/" + pid + "/status")
	u.peak = status["VmHWM"] << 10
	if status["RssShmem"] == 0 {
		return u
	}
	u.all, u.own, u.files = status["VmRSS"]<<10, status["RssAnon"]<<10, status["RssFile"]<<10
	u.shared, u.share = status["RssShmem"]<<10, kilobytes("/proc/" + pid + "/smaps_rollup")["Pss"]<<10
	return u
}

// kilobytes reads the lines "Name: 123 kB" of a file. There are none when the process has ended.
func kilobytes(file string) map[string]int64 {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	values := make(map[string]int64)
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err == nil {
			values[name] = n
		}
	}
	return values
}

// photographs writes a picture with soft and fine parts, of 4000×3000 pixels, in three formats.
func photographs(dir string) (files []string, err error) {
	img := image.NewNRGBA(image.Rect(0, 0, 4000, 3000))
	noise := uint32(1)
	for y := range 3000 {
		for x := range 4000 {
			noise = noise*1664525 + 1013904223
			soft := 96 + 64*math.Sin(float64(x)/313) + 48*math.Cos(float64(y)/127+float64(x)/911)
			grain := int(noise >> 29)
			p := img.Pix[img.PixOffset(x, y):]
			p[0], p[1], p[2], p[3] = uint8(int(soft)+grain), uint8(int(soft)*3/4+grain), uint8(200-int(soft)/2+grain), 255
		}
	}
	for name, encode := range map[string]func(b *bytes.Buffer) error{
		"photo.png": func(b *bytes.Buffer) error { return (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(b, img) },
		"photo.tif": func(b *bytes.Buffer) error {
			return tiff.Encode(b, img, &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		},
		"photo.jpg": func(b *bytes.Buffer) error { return jpeg.Encode(b, img, &jpeg.Options{Quality: 90}) },
	} {
		var b bytes.Buffer
		if err := encode(&b); err != nil {
			return nil, err
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}
