package ventilator

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/source"
)

func TestMistakeInAListOfURLsIsToldAsOne(t *testing.T) {
	dir := t.TempDir()
	for file, c := range map[string]struct{ content, refusal, logged string }{
		"column.csv": {"link,title\nhttps://x/a.jpg,a\n", `the first row names no column "url"`, "not read to its end"},
		"line.txt":   {"# mine\nftp://x/a.jpg\n", "line 2: it is no http or https URL", "a line of a list"},
		"key.jsonl":  {`{"link":"https://x/a.jpg"}`, `line 1 has no text named "url"`, "not read to its end"},
	} {
		path := filepath.Join(dir, file)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := Config{Inputs: []string{path}}
		all, err := newFinder(&cfg)
		if err != nil {
			t.Fatal(err)
		}
		var logged bytes.Buffer
		v := &Ventilator{cfg: cfg, finder: all, log: slog.New(slog.NewTextHandler(&logged, nil))}
		err = v.refuseEmpty(t.Context())
		var refusal *UsageError
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.refusal) {
			t.Errorf("%s: %v", file, err)
		}
		if err := all.walk(t.Context(), func(image) error { return nil }, v.omit); err != nil {
			t.Fatal(err)
		}
		if text := logged.String(); !strings.Contains(text, c.logged) || v.LeftOut().Counts[source.Unreadable] != 1 {
			t.Errorf("%s: logged %q", file, text)
		}
	}
}
