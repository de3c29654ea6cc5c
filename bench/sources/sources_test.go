//go:build unix

// Package sources measures what it costs where images come from and where outputs go: the same job from a directory,
// from a bucket and out of tar files, into files and into shards.
//
//	go test ./bench/sources -run TestSources -v -args -rounds 5 -images 400
//
// It makes the images itself. The ways take turns, so that what else the machine does falls on all alike.
package sources

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
)

var (
	rounds = flag.Int("rounds", 0, "rounds of every way; 0: the test is skipped")
	images = flag.Int("images", 400, "images of a run")
	side   = flag.Int("side", 1600, "width of the images in pixels")
	far    = flag.Duration("latency", 0, "how long the bucket's server takes before it answers a request")
)

// job is what is made of each image: that of JOB1 in docs/BENCH.md.
const job = "256,128,64"

// way is where images come from and where outputs go.
type way struct {
	name string
	in   string
	out  func(dir string) string
}

func intoFiles(dir string) string  { return dir }
func intoShards(dir string) string { return "tar:" + dir }

func TestSources(t *testing.T) {
	if *rounds == 0 {
		t.Skip("a measurement: -args -rounds 5")
	}
	dir := t.TempDir()
	farm := filepath.Join(dir, "farm")
	build := exec.Command("go", "build", "-o", farm, "github.com/imagefarm/imagefarm/farm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s := s3test.New(t)
	ways := []way{
		{"directory → files", filepath.Join(dir, "in"), intoFiles},
		{"bucket → files", "s3://" + s.Bucket + "/in", intoFiles},
		{"tar → files", filepath.Join(dir, "in.tar"), intoFiles},
		{"directory → shards", filepath.Join(dir, "in"), intoShards},
		{"bucket → shards", "s3://" + s.Bucket + "/in", intoShards},
	}
	fill(t, s, ways[0].in, ways[2].in)
	s.Latency.Store(int64(*far))
	rates, costs, servers := make([][]float64, len(ways)), make([][]float64, len(ways)), make([][]float64, len(ways))
	for round := range *rounds + 1 {
		for i, w := range ways {
			rate, cost, server := measure(t, s, farm, w, filepath.Join(dir, fmt.Sprint("out", i)))
			if round > 0 { // the first warms the caches
				rates[i], costs[i] = append(rates[i], rate), append(costs[i], cost)
				servers[i] = append(servers[i], server)
			}
		}
	}
	t.Logf("%d rounds of %d JPEGs, %d pixels wide, --size %s", *rounds, *images, *side, job)
	for i, w := range ways {
		var ratios []float64
		for round, rate := range rates[i] {
			ratios = append(ratios, rate/rates[0][round])
		}
		t.Logf("| %-18s | %6.1f img/s | %4.2f (%4.2f to %4.2f) | %5.2f ms | %5.2f ms |", w.name, median(rates[i]),
			median(ratios), slices.Min(ratios), slices.Max(ratios), 1e3*median(costs[i]), 1e3*median(servers[i]))
	}
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// fill puts the same images into a directory, a tar and the bucket.
func fill(t *testing.T, s *s3test.Server, dir, archive string) {
	t.Helper()
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	photos := make([][]byte, 8)
	for i := range photos {
		photos[i] = photo(t, i)
	}
	for i := range *images {
		name, data := fmt.Sprintf("%02d/%05d.jpg", i%20, i), photos[i%len(photos)]
		path := filepath.Join(dir, name)
		err = errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666),
			w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Typeflag: tar.TypeReg}))
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
		s.Put("in/"+name, data)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// photo makes one of several JPEGs with as much detail as photographs have.
func photo(t *testing.T, k int) []byte {
	t.Helper()
	img := image.NewYCbCr(image.Rect(0, 0, *side, *side*3/4), image.YCbCrSubsampleRatio420)
	noise := uint32(k + 1)
	for i := range img.Y {
		x, y := float64(i%img.YStride), float64(i/img.YStride)
		noise = noise*1664525 + 1013904223
		img.Y[i] = uint8(128 + 50*math.Sin(x/float64(20+7*k)) + 50*math.Cos(y/float64(11+5*k)+x/90) + float64(noise>>28))
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(64+i%img.CStride/8), uint8(64+20*k+i/img.CStride/8)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// measure does a run and returns its throughput, images a second, its processor time, seconds an image, and that of
// this process, which is the S3 server's.
func measure(t *testing.T, s *s3test.Server, farm string, w way, dir string) (rate, cost, server float64) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(farm, "run", "--progress", "json", "--http", "", "--size", job, "--out", w.out(dir), w.in)
	cmd.Env = append(os.Environ(), s.Environ()...)
	var said bytes.Buffer
	cmd.Stderr = &said
	begun := processorTime(t)
	out, err := cmd.Output()
	server = (processorTime(t) - begun).Seconds() / float64(*images)
	if err != nil {
		t.Fatalf("%s: %v: %s", w.name, err, &said)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var sum struct {
		Done   int   `json:"done"`
		WorkUS int64 `json:"work_us"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &sum); err != nil || sum.Done != *images || sum.WorkUS == 0 {
		t.Fatalf("%s: %v: %s", w.name, err, lines[len(lines)-1])
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return float64(sum.Done) / (float64(sum.WorkUS) / 1e6), used.Seconds() / float64(sum.Done), server
}

// processorTime returns the time that this process has used of all processors.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
