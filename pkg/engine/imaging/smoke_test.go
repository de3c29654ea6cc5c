package imaging

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// The hostile files say in EXPECTED.tsv what becomes of each under the default limits.
func TestHostileFilesEndAsExpected(t *testing.T) {
	dir := "../../../testdata/hostile"
	table, err := os.ReadFile(filepath.Join(dir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n") {
		fields := strings.Split(line, "\t")
		if len(fields) < 2 || fields[0] == "file" || strings.HasPrefix(line, "#") {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, fields[0]))
		if err != nil {
			t.Fatal(err)
		}
		res, err := e.Transform(context.Background(), data, recipe.Default().For(fields[0]))
		got := "done\t"
		var r *outcome.Rejection
		if errors.As(err, &r) {
			got = "rejected\t" + string(r.Reason)
		} else if err != nil {
			got = "failed\t" + err.Error()
		} else if len(res.Outputs) != 3 {
			t.Errorf("%s: %d outputs", fields[0], len(res.Outputs))
		}
		want := fields[1] + "\t"
		if len(fields) > 2 {
			want += fields[2]
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", fields[0], got, err, want)
		}
	}
}
