package pipeline

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/engine/enginetest"
	"github.com/imagefarm/imagefarm/pkg/engine/heif"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
)

// lentSources are pictures of w×h pixels in the kinds of file that only libraries and programs write. Those of programs
// are left out where the programs are not installed.
func lentSources(t *testing.T, w, h int) (all []enginetest.Source) {
	t.Helper()
	for _, alpha := range []bool{false, true} {
		img, name := enginetest.Soft(w, h, alpha), ""
		if alpha {
			name = ", alpha"
		}
		add := func(kind string, data []byte, err error) {
			t.Helper()
			if err != nil {
				t.Fatal(kind, name, err)
			}
			all = append(all, enginetest.Source{Name: kind + name, Data: data, Picture: img, Near: 29})
		}
		data, err := heif.EncodeAVIF(img, heif.Options{Quality: 95, Effort: 3})
		add("AVIF", data, err)
		for _, made := range []struct {
			kind    string
			command []string
		}{
			{"HEIC", []string{"heif-enc", "-q", "95", "in.png", "-o", "out"}},
			{"JPEG XL", []string{"cjxl", "-d", "0.3", "in.png", "out"}},
		} {
			if _, err := native.LibJXL(); err != nil && made.kind == "JPEG XL" {
				continue // nothing else reads it; IMAGEFARM_CODECS=native lets tests use the library
			}
			if data = outputOf(t, made.command, enginetest.PNG(img)); data != nil {
				add(made.kind, data, nil)
			}
		}
	}
	return all
}

// outputOf returns what a command makes of in.png in the file out; nil if its program is not installed.
func outputOf(t *testing.T, command []string, in []byte) []byte {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Logf("without the files of %s: %v", command[0], err)
		return nil
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.png"), in, 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(command[0], command[1:]...)
	c.Dir = dir
	if said, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", command, err, said)
	}
	out, err := os.ReadFile(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}
