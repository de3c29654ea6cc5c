//go:build unix

// Package sources measures what it costs where images come from and where outputs go: the same job from a directory,
// from a bucket and out of tar files, into files and into shards.
//
//	go test ./bench/sources -run TestSources -v -args -rounds 5 -images 400
//
// It makes the images itself. The ways take turns, in another order each round, so that what else the machine does
// falls on all alike. Each run begins when the outputs of earlier ones are on disk: the kernel would write them
// meanwhile.
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
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/pkg/cputime"
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
	runs := make([][]measured, len(ways))
	for round := range *rounds + 1 {
		for k := range ways {
			i := (k + round) % len(ways)
			w := ways[i]
			unix.Sync()
			// Nothing is removed between the runs: some file systems create files slowly where others were removed lately.
			m := measure(t, s, farm, w, filepath.Join(dir, fmt.Sprintf("out%d-%d", round, i)))
			if round > 0 { // the first warms the caches
				runs[i] = append(runs[i], m)
			}
		}
	}
	t.Logf("%d rounds of %d JPEGs, %d pixels wide, --size %s", *rounds, *images, *side, job)
	for i, w := range ways {
		t.Logf("| %-18s | %6.1f img/s | %s | %5.2f ms | %s | %5.2f ms |", w.name,
			median(each(runs[i], measured.rate)), ratios(each(runs[i], measured.rate), each(runs[0], measured.rate)),
			1e3*median(each(runs[i], measured.cost)), ratios(each(runs[0], measured.cost), each(runs[i], measured.cost)),
			1e3*median(each(runs[i], measured.server)))
	}
}

// measured is what a run took.
type measured struct {
	images             int
	took, used, served time.Duration // by the clock; of processors; of processors by the S3 server
}

func (m measured) rate() float64   { return float64(m.images) / m.took.Seconds() }
func (m measured) cost() float64   { return m.used.Seconds() / float64(m.images) }
func (m measured) server() float64 { return m.served.Seconds() / float64(m.images) }

func each(runs []measured, what func(measured) float64) (all []float64) {
	for _, m := range runs {
		all = append(all, what(m))
	}
	return all
}

// ratios returns the median of a/b, the smallest and the largest, as text.
func ratios(a, b []float64) string {
	all := make([]float64, len(a))
	for i := range a {
		all[i] = a[i] / b[i]
	}
	return fmt.Sprintf("%4.2f (%4.2f to %4.2f)", median(all), slices.Min(all), slices.Max(all))
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

// measure does a run into a new directory. The S3 server is all that this process does meanwhile.
func measure(t *testing.T, s *s3test.Server, farm string, w way, dir string) measured {
	t.Helper()
	cmd := exec.Command(farm, "run", "--progress", "json", "--http", "", "--size", job, "--out", w.out(dir), w.in)
	cmd.Env = append(os.Environ(), s.Environ()...)
	var said bytes.Buffer
	cmd.Stderr = &said
	begun := cputime.Used()
	out, err := cmd.Output()
	served := cputime.Used() - begun
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
	return measured{
		images: sum.Done, took: time.Duration(sum.WorkUS) * time.Microsecond,
		used: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), served: served,
	}
}
