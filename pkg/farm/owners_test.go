package farm_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/ventilator"
)

// runInto runs a farm over dir into out with a ledger of its own opening, so that several can follow each other.
func runInto(t *testing.T, dir, out string, force bool) (done, skipped int64, err error) {
	t.Helper()
	t.Run("run", func(t *testing.T) {
		cfg := newConfig(t, dir, out, &echo{})
		cfg.Ventilator.Force = force
		r, runErr := run(t, cfg)
		done, skipped, err = r.Done, r.Skipped, runErr
	})
	return done, skipped, err
}

func TestRunThatWouldReplaceOutputsOfOtherImagesIsRefused(t *testing.T) {
	first, second, out := images(t, "a", "b"), images(t, "c"), t.TempDir()
	if done, _, err := runInto(t, first, out, false); done != 2 || err != nil {
		t.Fatalf("%d done, %v", done, err)
	}
	output := filepath.Join(out, "d0", "0000_thumbnail64.jpg")
	holds := func(content string) {
		t.Helper()
		if b, err := os.ReadFile(output); err != nil || !strings.HasSuffix(string(b), content) {
			t.Errorf("the output holds %q, %v", b, err)
		}
	}
	_, _, err := runInto(t, second, out, false)
	var refusal *ventilator.UsageError
	if !errors.As(err, &refusal) {
		t.Fatalf("a run over other images ended with %v", err)
	}
	for _, name := range []string{first + "/d0/0000.jpg", second + "/d0/0000.jpg", "--force"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the refusal does not name %s: %v", name, err)
		}
	}
	holds("a")

	if done, _, err := runInto(t, second, out, true); done != 1 || err != nil {
		t.Fatalf("forced: %d done, %v", done, err)
	}
	holds("c")
	if _, _, err := runInto(t, first, out, false); !errors.As(err, &refusal) {
		t.Fatalf("the first images' output was replaced, and their run ended with %v", err)
	}
	if done, _, err := runInto(t, first, out, true); done != 2 || err != nil {
		t.Fatalf("forced again: %d done, %v", done, err)
	}
	holds("a")
}

func TestMovedImagesAreSkipped(t *testing.T) {
	dir, out := images(t, "a", "b"), t.TempDir()
	if done, _, err := runInto(t, dir, out, false); done != 2 || err != nil {
		t.Fatalf("%d done, %v", done, err)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	if done, skipped, err := runInto(t, moved, out, false); done != 0 || skipped != 2 || err != nil {
		t.Errorf("%d done, %d skipped, %v", done, skipped, err)
	}
}

func TestChangedImageReplacesItsOwnOutputs(t *testing.T) {
	dir, out := images(t, "a"), t.TempDir()
	if done, _, err := runInto(t, dir, out, false); done != 1 || err != nil {
		t.Fatalf("%d done, %v", done, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "d0", "0000.jpg"), []byte("\xff\xd8\xffchanged"), 0o644); err != nil {
		t.Fatal(err)
	}
	if done, _, err := runInto(t, dir+"/.", out, false); done != 1 || err != nil {
		t.Errorf("%d done, %v", done, err)
	}
}
