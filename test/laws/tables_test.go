package laws

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/recipe"
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
	// Samples and reports of measurements are written in all formats on purpose.
	refuseLiterals(t, words, "ask package format", func(path string) bool {
		return containsAny(path, "/pkg/format/", "/enginetest/", "/bench/", "/testdata/")
	})
}

// An operation is a row of pkg/recipe's table. Engines know operations by the constants.
func TestOperationsStandInOneTable(t *testing.T) {
	words := make(map[string]bool)
	for _, u := range recipe.Usages() {
		words[u.Word] = !u.Setting
	}
	refuseLiterals(t, words, "use a constant of package recipe", func(path string) bool {
		return !containsAny(path, "/pkg/engine/", "/pkg/isolate/", "/pkg/worker/") || containsAny(path, "/enginetest/")
	})
}

func containsAny(path string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(path, part) })
}

// refuseLiterals fails the test for each string literal that is one of the words, in files that are not left out.
func refuseLiterals(t *testing.T, words map[string]bool, instead string, leftOut func(path string) bool) {
	t.Helper()
	eachSource(t, func(path string, file *ast.File, set *token.FileSet) {
		if leftOut(path) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && words[s] {
					t.Errorf("%s: %s: %s", set.Position(lit.Pos()), lit.Value, instead)
				}
			}
			return true
		})
	})
}
