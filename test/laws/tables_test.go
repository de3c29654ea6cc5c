package laws

import (
	"go/ast"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/format"
)

// A format is a row of pkg/format's table. A name or an extension that stands elsewhere begins a second list.
func TestFormatsStandInOneTable(t *testing.T) {
	words := make(map[string]bool)
	for _, f := range format.All() {
		words[f.Name] = true
		for _, ext := range f.Extensions {
			words[ext], words[strings.TrimPrefix(ext, ".")] = true, true
		}
	}
	eachSource(t, func(path string, file *ast.File, set *token.FileSet) {
		// Samples and reports of measurements are written in all formats on purpose.
		for _, home := range []string{"/pkg/format/", "/enginetest/", "/bench/", "/testdata/"} {
			if strings.Contains(path, home) {
				return
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && words[s] {
					t.Errorf("%s: %s: ask package format", set.Position(lit.Pos()), lit.Value)
				}
			}
			return true
		})
	})
}
