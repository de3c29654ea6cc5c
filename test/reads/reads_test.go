// Package reads tests what is read: files that other programs write, of every kind that docs/RECIPES.md lists, beside
// what Pillow and libvips make of the same files. No picture may be wrong and called done.
package reads

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/pipeline"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

//go:generate go test -run TestWhatIsRead -update-docs .

var updateDocs = flag.Bool("update-docs", false,
	"write the table of docs/RECIPES.md again instead of comparing with it")

const document = "../../docs/RECIPES.md"

// TestMain lets this process load C libraries, as the workers' child processes do.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := os.Setenv(native.Env, native.Native); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// pictures are what the files show.
func pictures() map[string]image.Image {
	photo := enginetest.Photo(160, 120)
	alpha, gray, bilevel := image.NewNRGBA(photo.Rect), image.NewGray(photo.Rect), image.NewGray(photo.Rect)
	var colors color.Palette
	for i := range 64 {
		colors = append(colors, color.NRGBA{uint8(85 * (i >> 4)), uint8(85 * (i >> 2 & 3)), uint8(85 * (i & 3)), 255})
	}
	palette := image.NewPaletted(photo.Rect, colors)
	for y := range 120 {
		for x := range 160 {
			c := photo.NRGBAAt(x, y)
			palette.Set(x, y, c)
			gray.Set(x, y, c)
			if (x/7+y/5)%3 == 0 {
				bilevel.SetGray(x, y, color.Gray{255})
			}
			c.A = uint8(55 + x)
			alpha.SetNRGBA(x, y, c)
		}
	}
	return map[string]image.Image{"photo": photo, "alpha": alpha, "gray": gray, "bilevel": bilevel, "palette": palette}
}

func TestWhatIsRead(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs many programs")
	}
	dir := t.TempDir()
	sources := pictures()
	for name, img := range sources {
		writeFile(t, filepath.Join(dir, name+".png"), enginetest.PNG(img))
		writeFile(t, filepath.Join(dir, name+".ppm"), ppm(img))
	}
	list := kinds()
	files := make([]string, len(list))
	for i, k := range list {
		files[i] = filepath.Join(dir, fmt.Sprintf("%02d.%s", i, extensions[k.format]))
	}
	pillow := newPillow()
	pillow.write(t, list, files, dir)
	for i, k := range list {
		if k.by != "Pillow" {
			k.write(files[i], dir)
		}
	}
	others := map[string]func(string) (image.Image, error){
		"vips": readByVIPS(files), "Pillow": pillow.read(t, files, dir),
	}
	documented := readTable(t)
	table := make([]row, 0, len(list))
	for i, k := range list {
		r := row{format: k.format, name: k.name, by: k.by}
		old, known := documented[r.key()]
		if !known && !*updateDocs {
			t.Errorf("docs/RECIPES.md does not list %s; go generate ./test/reads writes it", r.key())
		}
		if _, err := os.Stat(files[i]); err != nil {
			t.Logf("%s: %s cannot write it here", r.key(), k.by)
			table = append(table, old)
			continue
		}
		want := sources[k.of]
		r.product = k.read(t, files[i], want)
		r.vips, r.pillow = distanceBy(others["vips"], files[i], want), distanceBy(others["Pillow"], files[i], want)
		if !*updateDocs && known && !alike(r.product, old.product) {
			t.Errorf("%s: the distance is %s, docs/RECIPES.md says %s", r.key(), r.product, old.product)
		}
		table = append(table, r)
	}
	if *updateDocs {
		writeTable(t, table)
		return
	}
	for key := range documented {
		if !slices.ContainsFunc(table, func(r row) bool { return r.key() == key }) {
			t.Errorf("docs/RECIPES.md lists %s, which nothing tests", key)
		}
	}
}

// read returns the distance of what the product makes of a file from the picture, or refused. It fails the test where
// the file is read wrong, and where it is refused in other words than that it is not supported.
func (k kind) read(t *testing.T, file string, want image.Image) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	e, err := pipeline.New(pipeline.Config{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Parse("x=format:png")
	if err != nil {
		t.Fatal(err)
	}
	res, err := e.Transform(t.Context(), data, r)
	var rejection *outcome.Rejection
	if errors.As(err, &rejection) && rejection.Reason == outcome.Unsupported {
		t.Logf("%s, %s, by %s: %v", k.format, k.name, k.by, err)
		return refused
	}
	if err != nil {
		t.Errorf("%s, %s, by %s: %v", k.format, k.name, k.by, err)
		return refused
	}
	got, err := png.Decode(bytes.NewReader(res.Outputs[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	d := distance(got, want)
	if d > k.most {
		t.Errorf("%s, %s, by %s: %.1f of 255 from the picture, at most %.1f is right", k.format, k.name, k.by, d, k.most)
	}
	return strconv.FormatFloat(d, 'f', 1, 64)
}

const (
	refused = "–"
	absent  = ""
)

func distanceBy(read func(string) (image.Image, error), file string, want image.Image) string {
	if read == nil {
		return absent
	}
	img, err := read(file)
	if err != nil {
		return refused
	}
	return strconv.FormatFloat(distance(img, want), 'f', 1, 64)
}

// distance is the mean absolute difference of the samples of two pictures on white, 255 for pictures of other sizes.
func distance(a, b image.Image) float64 {
	size := b.Bounds().Size()
	if a.Bounds().Size() != size {
		return 255
	}
	sum := 0.0
	for y := range size.Y {
		for x := range size.X {
			p, q := onWhite(a.At(a.Bounds().Min.X+x, a.Bounds().Min.Y+y)), onWhite(b.At(x, y))
			for c := range p {
				sum += math.Abs(p[c] - q[c])
			}
		}
	}
	return sum / float64(3*size.X*size.Y)
}

func onWhite(c color.Color) [3]float64 {
	r, g, b, a := c.RGBA()
	rest := float64(65535 - a)
	return [3]float64{(float64(r) + rest) / 257, (float64(g) + rest) / 257, (float64(b) + rest) / 257}
}

// alike reports whether two figures of the table are the same but for versions of the programs that wrote the files.
func alike(a, b string) bool {
	x, errA := strconv.ParseFloat(a, 64)
	y, errB := strconv.ParseFloat(b, 64)
	return a == b || errA == nil && errB == nil && math.Abs(x-y) <= 1
}

// row is a row of the table.
type row struct{ format, name, by, product, vips, pillow string }

func (r row) key() string { return r.format + ", " + r.name + ", by " + r.by }

const begin, end = "<!-- what is read: written by go generate ./test/reads -->\n", "<!-- end -->\n"

var rowPattern = regexp.MustCompile(`(?m)^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$`)

func readTable(t *testing.T) map[string]row {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(text), begin)
	block, _, closed := strings.Cut(after, end)
	if !ok || !closed {
		t.Fatalf("docs/RECIPES.md has no table between %q and %q", begin, end)
	}
	rows := make(map[string]row)
	for _, m := range rowPattern.FindAllStringSubmatch(block, -1) {
		r := row{m[1], m[2], m[3], m[4], m[5], m[6]}
		if r.format != "format" { // the head
			rows[r.key()] = r
		}
	}
	return rows
}

func writeTable(t *testing.T, table []row) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, after, _ := strings.Cut(string(text), begin)
	_, after, _ = strings.Cut(after, end)
	var b strings.Builder
	b.WriteString("| format | kind | written by | imagefarm | libvips | Pillow |\n|---|---|---|--:|--:|--:|\n")
	for _, r := range table {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", r.format, r.name, r.by, r.product, r.vips, r.pillow)
	}
	writeFile(t, document, []byte(before+begin+b.String()+end+after))
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// run runs a program, which may fail.
func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}
