package ventilator

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/recipe/recipetest"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// fill makes a directory of files whose content is that of a JPEG as far as anybody looks.
func fill(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		p := filepath.Join(dir, name)
		err := errors.Join(os.MkdirAll(filepath.Dir(p), 0o755), os.WriteFile(p, []byte("\xff\xd8\xff"), 0o644))
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// outputsOf returns what a survey of the inputs says of the first output of each image.
func outputsOf(t *testing.T, variant string, inputs ...string) ([]string, error) {
	t.Helper()
	f, err := newFinder(&Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	look, err := f.survey(t.Context(), recipetest.Parse(t, variant))
	if err != nil {
		return nil, err
	}
	var outputs []string
	err = f.walk(t.Context(), func(im image) error {
		outputs = append(outputs, look.naming.outputs(im.Name)...)
		parsed, err := recipe.ParseCanonical(look.naming.recipe(im.Name)) // what a worker does
		if err != nil || !slices.Equal(parsed.OutputNames(im.Name), look.naming.outputs(im.Name)) {
			t.Errorf("a worker names the outputs of %s %q, %v", im.Name, parsed.OutputNames(im.Name), err)
		}
		return nil
	}, func(source.Omission) {})
	return outputs, err
}

func TestImagesInAClashKeepTheirExtensions(t *testing.T) {
	for _, c := range []struct{ images, outputs []string }{
		{[]string{"IMG_7.HEIC", "IMG_7.jpg", "IMG_8.jpg"},
			[]string{"IMG_7.HEIC_t.jpg", "IMG_7.jpg_t.jpg", "IMG_8_t.jpg"}},
		{[]string{"a.png", "b/a.jpg"}, []string{"a_t.jpg", "b/a_t.jpg"}},
		{[]string{"a.bmp", "a.gif", "a.png"}, []string{"a.bmp_t.jpg", "a.gif_t.jpg", "a.png_t.jpg"}},
		// The new name of the first clashes with the usual one of the second.
		{[]string{"a.bmp", "a.bmp.png", "a.jpg"}, []string{"a.bmp_t.jpg", "a.bmp.png_t.jpg", "a.jpg_t.jpg"}},
	} {
		got, err := outputsOf(t, "t=fit:8x8,format:jpeg", fill(t, c.images...))
		if err != nil || !slices.Equal(got, c.outputs) {
			t.Errorf("%q become %q, %v", c.images, got, err)
		}
	}
}

func TestImagesOfOneNameInTwoInputsAreRefused(t *testing.T) {
	_, err := outputsOf(t, "t=fit:8x8", fill(t, "a.jpg"), fill(t, "a.jpg"))
	if usage := (*UsageError)(nil); !errors.As(err, &usage) || !strings.Contains(usage.Problem, "would both make") {
		t.Errorf("%v", err)
	}
}

func TestImageWhoseNameCannotTravelIsRejectedByName(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("file systems refuse such names here")
	}
	dir := fill(t, "caf\xe9.jpg", "tab\tbed.jpg", "\x1b[31mred.jpg", strings.Repeat("x", 245)+".jpg",
		"plain.txt", "raw.x3f", ".hidden.jpg")
	if err := os.WriteFile(filepath.Join(dir, "plain.txt"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "raw.x3f"), []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	told := make(map[string]string)
	v, err := New(Config{Inputs: []string{dir}, Recipe: recipe.Default(), Bind: "tcp://127.0.0.1:*", Control: NoSink,
		Rejected: func(o Original, r wire.Receipt) {
			told[r.Filename] = string(r.Reason) + ": " + r.Detail
			if f, err := o.Open(t.Context()); err != nil {
				t.Error(err)
			} else {
				f.Close()
			}
		}})
	if err != nil {
		t.Fatal(err)
	}
	run, err := v.Run(t.Context())
	if err != nil || run.Found != 4 || run.Rejected != 4 || run.Unsettled() != 0 {
		t.Errorf("%+v, %v", run, err)
	}
	bad := string(outcome.BadName) + ": rename it: "
	if told[`caf\xe9.jpg`] != bad+"the name is not UTF-8" ||
		told[`tab\tbed.jpg`] != bad+"the name has a tab or a line break" ||
		told[`\x1b[31mred.jpg`] != bad+`the name "\x1b[31mred.jpg" has control characters` {
		t.Errorf("it is told %q", told)
	}
	why := told[strings.Repeat("x", 245)+".jpg"]
	if !strings.HasPrefix(why, bad) || !strings.Contains(why, "more than 255") {
		t.Errorf("of a long name it is told %q", why)
	}
	if got := v.LeftOut().Counts.String(); got != "1 X3F, 1 hidden, 1 not an image" {
		t.Errorf("left out: %q", got)
	}
}
