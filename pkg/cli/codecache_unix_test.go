//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package cli

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTemporaryCacheIsMadeWhenTheEngineRuns(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv("IMAGEFARM_CODE_CACHE", filepath.Join(os.DevNull, "none"))
	count := func() int {
		t.Helper()
		entries, err := os.ReadDir(temporary)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	tr := newTranslator(slog.New(slog.DiscardHandler))
	if n := count(); n != 0 {
		t.Errorf("%d directories before the engine runs", n)
	}
	if err := tr.makeCache(); err != nil || count() != 1 {
		t.Errorf("%d directories, %v, want 1", count(), err)
	}
	tr.close()
	if n := count(); n != 0 {
		t.Errorf("%d directories are left", n)
	}

	if err := os.Chmod(temporary, 0o777); err != nil { // as a volume of Kubernetes
		t.Fatal(err)
	}
	tr = newTranslator(slog.New(slog.DiscardHandler))
	defer tr.close()
	if tr.cache != "" || tr.absent == nil || !strings.Contains(tr.absent.Error(), "IMAGEFARM_CODE_CACHE") {
		t.Errorf("where all may write: the cache %q, %v", tr.cache, tr.absent)
	}
}
