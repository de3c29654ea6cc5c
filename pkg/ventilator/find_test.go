package ventilator

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/source"
)

// found returns the names of the images below the inputs.
func found(t *testing.T, ctx context.Context, inputs ...string) ([]string, error) {
	t.Helper()
	f, err := newFinder(&Config{Inputs: inputs})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	err = f.walk(ctx, func(im image) error {
		if _, err := os.Stat(im.Path); err != nil {
			t.Error(err)
		}
		names = append(names, im.Name)
		return nil
	}, func(o source.Omission) { t.Errorf("%s is left out: %v", o.Location, o) })
	return names, err
}

// Found with ~/Pictures on another disk: a link to a directory held no images at all, and the run ended well.
func TestInputThatIsALinkToADirectoryIsWalked(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "real", "below"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"real/a.jpg", "real/below/b.jpg"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("\xff\xd8\xff"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "real"), link); err != nil {
		t.Skip("no links here: ", err)
	}
	for _, input := range []string{filepath.Join(dir, "real"), link, link + "/"} {
		if names, err := found(t, t.Context(), input); err != nil || !slices.Equal(names, []string{"a.jpg", "below/b.jpg"}) {
			t.Errorf("%s: found %q, %v", input, names, err)
		}
	}
}

func TestWalkThatIsCutSaysWhy(t *testing.T) {
	why := errors.New("a signal")
	ctx, cut := context.WithCancelCause(t.Context())
	cut(why)
	if _, err := found(t, ctx, t.TempDir()); !errors.Is(err, why) {
		t.Errorf("the walk ended with %v", err)
	}
}
