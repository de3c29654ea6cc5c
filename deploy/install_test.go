package deploy

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/imagefarm/imagefarm"

// TestInstallsWithoutAClone serves the files of this tree as a module proxy does, and lets the go command plan an
// installation of the latest version from there. It would fail at a replace directive, and where a file that a program
// embeds does not belong to the module. It does not compile: the same packages are compiled for other tests.
func TestInstallsWithoutAClone(t *testing.T) {
	const version = "v0.0.0-20260102030405-0123456789ab" // what a proxy makes of a repository without tags
	proxy := t.TempDir()
	dir := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	info := fmt.Sprintf(`{"Version":%q,"Time":"2026-01-02T03:04:05Z"}`, version)
	for name, text := range map[string]string{
		"list": "", "../@latest": info, version + ".info": info, version + ".mod": read(t, "../go.mod"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeModule(t, filepath.Join(dir, version+".zip"), module+"@"+version)

	cached, err := exec.CommandContext(t.Context(), "go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	dependencies := filepath.Join(strings.TrimSpace(string(cached)), "cache", "download")
	home := t.TempDir()
	for _, program := range []string{"farm", "ventilator", "worker", "sink"} {
		cmd := exec.CommandContext(t.Context(), "go", "install", "-n", module+"/"+program+"@latest")
		cmd.Dir = home // outside of any module
		cmd.Env = append(os.Environ(), "GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(dependencies),
			"GOPATH="+home, "GOMODCACHE="+filepath.Join(home, "mod"), "GOFLAGS=-modcacherw", "GOSUMDB=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go install %s@latest: %v\n%s", program, err, out[max(0, len(out)-2000):])
		}
		if !strings.Contains(string(out), "/bin/"+program) {
			t.Errorf("go install %s@latest installs no program of that name", program)
		}
	}
}

// writeModule writes the zip file of a module whose files are those that git knows in this tree.
func writeModule(t *testing.T, file, prefix string) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Skipf("the files of the module are known only in a clone: %v", err)
	}
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			t.Fatalf("%s makes another module of its directory: a proxy leaves that out", name)
		}
		info, err := os.Lstat(filepath.Join("..", name))
		if err != nil || !info.Mode().IsRegular() {
			continue // removed, or a link, which modules do not have
		}
		from, err := os.Open(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		to, err := z.Create(prefix + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(to, from); err != nil {
			t.Fatal(err)
		}
		from.Close()
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
}
