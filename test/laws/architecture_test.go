package laws

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
	"testing"
)

func readArchitecture(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every package has a comment, and a row that says what it does.
func TestArchitectureNamesEveryPackage(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| `(pkg/[^`]+)` \\| .+ \\| .* \\|$")
	rows := make(map[string]bool)
	for _, m := range row.FindAllStringSubmatch(readArchitecture(t), -1) {
		rows[m[1]] = true
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module+"/")
		if !strings.HasPrefix(name, "pkg/") {
			continue
		}
		if p.Doc == "" {
			t.Errorf("%s has no package comment", name)
		}
		if !rows[name] {
			t.Errorf("docs/ARCHITECTURE.md has no row for %s", name)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("docs/ARCHITECTURE.md has a row for %s, which does not exist", name)
	}
}

// Every direct dependency has a reason.
func TestArchitectureHasAReasonForEachDependency(t *testing.T) {
	_, table, ok := strings.Cut(readArchitecture(t), "\n## Dependencies\n")
	if table, _, _ = strings.Cut(table, "\n## "); !ok {
		t.Fatal("docs/ARCHITECTURE.md has no section on dependencies")
	}
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`/v\d+$`)
	direct := 0
	for _, r := range mod.Require {
		if r.Indirect {
			continue
		}
		direct++
		base := path.Base(version.ReplaceAllString(r.Path, ""))
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(base) + `\b`).MatchString(table) {
			t.Errorf("docs/ARCHITECTURE.md gives no reason for %s", r.Path)
		}
	}
	if direct == 0 {
		t.Error("go.mod has no direct dependency")
	}
}
