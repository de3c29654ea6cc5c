package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctorSaysWhetherOutputsCanBeWritten(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ out, state, says string }{
		{dir, stateOK, dir + " can be written"},
		{filepath.Join(dir, "a", "b"), stateOK, "can be made in " + dir},
		{file, stateFault, file + " cannot be written: "},
		{filepath.Join(file, "a"), stateFault, "cannot be written: "},
	} {
		got := outCheckup(c.out)
		if got.State != c.state || !strings.Contains(got.Says, c.says) {
			t.Errorf("%s: %+v, want %s with %q", c.out, got, c.state, c.says)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("the doctor left %v behind, %v", entries, err)
	}
}

func TestDoctorSaysThatFewOpenFilesAreAFault(t *testing.T) {
	if f := filesCheckup(24, 2, 4); f.State != stateFault || !strings.Contains(f.Says, "raise the limit") {
		t.Errorf("24 files: %+v", f)
	}
	if f := filesCheckup(1024, 2, 4); f.State != stateOK || f.Says !=
		"at most 1024, of which peers get 213 at each socket of a sink and 640 at a ventilator, and HTTP 128" {
		t.Errorf("1024 files: %+v", f)
	}
}

func TestAssetsAreReadOnce(t *testing.T) {
	dir := t.TempDir()
	logo := filepath.Join(dir, "logo.png")
	if err := os.WriteFile(logo, []byte("picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "more"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out")); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	a, err := readAssets(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(logo); err != nil {
		t.Fatal(err)
	}
	if data, err := a.ReadFile("logo.png"); err != nil || string(data) != "picture" {
		t.Errorf("logo.png: %q, %v", data, err)
	}
	for _, name := range []string{"more", "out", "none"} {
		if data, err := a.ReadFile(name); !os.IsNotExist(err) {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
	if err := os.WriteFile(logo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(logo, maxAssetBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := readAssets(dir); err == nil || !strings.Contains(err.Error(), "in a directory of their own") {
		t.Errorf("assets beyond the limit: %v", err)
	}
}
