package laws

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// `make test` leaves the race detector out for packages that cannot race.
func TestPackagesWithoutTheRaceDetectorAreSerial(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^SERIAL = (.+)$`).FindSubmatch(makefile)
	if found == nil {
		t.Fatal("the Makefile has no list SERIAL")
	}
	serial := strings.Fields(string(found[1]))
	checked := 0
	for _, p := range packages(t) {
		name, is := strings.CutPrefix(p.ImportPath, module+"/pkg/")
		if !is || !slices.Contains(serial, name) {
			continue
		}
		checked++
		for _, imp := range p.Imports {
			if imp == "sync" || imp == "sync/atomic" || strings.Contains(imp, "errgroup") {
				t.Errorf("%s imports %s: take it out of SERIAL in the Makefile", p.ImportPath, imp)
			}
		}
		eachSourceOf(t, p, func(_ string, file *ast.File, set *token.FileSet) {
			ast.Inspect(file, func(n ast.Node) bool {
				if g, is := n.(*ast.GoStmt); is {
					t.Errorf("%s: a goroutine: take the package out of SERIAL in the Makefile", set.Position(g.Pos()))
				}
				return true
			})
		})
	}
	if checked != len(serial) {
		t.Errorf("%d packages of SERIAL were found, of %d", checked, len(serial))
	}
}
