// Package laws checks what docs/ARCHITECTURE.md says the tree must keep to.
package laws

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/imagefarm/imagefarm"

type pkg struct {
	ImportPath  string
	Dir         string
	Doc         string // the first sentence of the package's comment
	Imports     []string
	GoFiles     []string
	TestGoFiles []string
}

// packages lists the module's packages, tests left out of their imports.
func packages(t *testing.T) []pkg {
	t.Helper()
	all, err := listed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// listed runs go list once for all tests.
var listed = sync.OnceValues(func() (all []pkg, err error) {
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,GoFiles,TestGoFiles", "./...")
	cmd.Dir = "../.."
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

func within(path string, homes ...string) bool {
	return slices.ContainsFunc(homes, func(home string) bool {
		home = module + "/" + home
		return path == home || strings.HasPrefix(path, home+"/")
	})
}

// Each of these has few homes, so that replacing it is a change in one place.
func TestDependenciesHaveOneHome(t *testing.T) {
	homes := map[string][]string{
		"github.com/go-zeromq/zmq4":           {"pkg/zsock"},
		"github.com/vmihailenco/msgpack":      {"pkg/wire"},
		"github.com/disintegration/imaging":   {"pkg/engine", "bench"},
		"github.com/gen2brain/":               {"pkg/engine", "pkg/jpeg", "bench"},
		"github.com/tetratelabs/wazero":       {"pkg/engine/wasm"},
		"github.com/ebitengine/purego":        {"pkg/engine/native"},
		"go.etcd.io/bbolt":                    {"pkg/ledger"},
		"github.com/urfave/cli":               {"pkg/cli"},
		"github.com/klauspost/compress":       {"pkg/tiff", "pkg/png", "pkg/inflate", "pkg/source", "bench"},
		"github.com/minio/minio-go":           {"pkg/bucket"},
		"github.com/parquet-go/parquet-go":    {"pkg/source", "pkg/report"},
		"github.com/fsnotify/fsnotify":        {"pkg/source"},
		"github.com/johannesboyne/gofakes3":   {"pkg/bucket/s3test"},
		"github.com/schollz/progressbar":      {"pkg/progress"},
		"github.com/prometheus/client_golang": {"pkg/telemetry", "pkg/ventilator", "pkg/worker", "pkg/sink", "pkg/cli"},
	}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			for dep, home := range homes {
				if strings.HasPrefix(imp, dep) && !within(p.ImportPath, home...) {
					t.Errorf("%s imports %s, whose home is %v", p.ImportPath, imp, home)
				}
			}
		}
	}
}

func TestRolesAreComposedByTheFarmAlone(t *testing.T) {
	roles := []string{"pkg/ventilator", "pkg/worker", "pkg/sink"}
	for _, p := range packages(t) {
		for _, imp := range p.Imports {
			if within(imp, roles...) && !within(imp, strings.TrimPrefix(p.ImportPath, module+"/")) &&
				!within(p.ImportPath, "pkg/farm", "pkg/cli", "test", "bench") &&
				!within(p.ImportPath, roles[slices.IndexFunc(roles, func(r string) bool { return within(imp, r) })]) {
				t.Errorf("%s imports the role %s: roles import leaves, and only pkg/farm and pkg/cli import roles",
					p.ImportPath, imp)
			}
		}
	}
}

func TestLeavesStayLeaves(t *testing.T) {
	allowed := map[string][]string{ // what of this module each may import
		"pkg/outcome":   nil,
		"pkg/taskid":    nil,
		"pkg/nearest":   nil,
		"pkg/printable": nil,
		"pkg/format":    nil,
		"pkg/recipe":    {"pkg/recipe", "pkg/nearest", "pkg/format"},
		"pkg/jpeg":      {"pkg/jpeg"},
		"pkg/inflate":   nil,
		"pkg/raster":    nil,
		"pkg/bmp":       {"pkg/raster"},
		"pkg/gif":       {"pkg/raster"},
		"pkg/png":       {"pkg/inflate", "pkg/raster"},
		"pkg/tiff":      {"pkg/inflate", "pkg/jpeg", "pkg/raster"},
		"pkg/bitstream": nil,
		"pkg/hevc":      {"pkg/bitstream", "pkg/raster"},
		"pkg/isobmff":   nil,
		"pkg/vp8":       {"pkg/raster"},
		"pkg/vp8l":      {"pkg/raster"},
		"pkg/raw":       {"pkg/isobmff", "pkg/tiff"},
		"pkg/account":   nil,
		"pkg/httpreply": nil,
		"pkg/zsock":     {"pkg/zsock", "pkg/account"},
		"pkg/reload":    nil,
		"pkg/pki":       {"pkg/reload", "pkg/zsock"},
		"pkg/access":    {"pkg/account", "pkg/httpreply", "pkg/pki", "pkg/reload", "pkg/zsock"},
		"pkg/wire":      {"pkg/outcome", "pkg/known", "pkg/diskfault"},
		"pkg/bucket":    {"pkg/bucket"},
		"pkg/blob":      {"pkg/outcome", "pkg/diskfault", "pkg/bucket", "pkg/format"},
		"pkg/extsort":   nil,
		"pkg/source":    {"pkg/blob", "pkg/bucket", "pkg/extsort", "pkg/outcome"},
		"pkg/ledger":    {"pkg/outcome", "pkg/taskid", "pkg/known", "pkg/diskfault"},
		"pkg/engine": {"pkg/engine", "pkg/bmp", "pkg/gif", "pkg/format", "pkg/recipe", "pkg/jpeg", "pkg/outcome",
			"pkg/known", "pkg/png", "pkg/raster", "pkg/tiff", "pkg/raw", "pkg/isobmff", "pkg/vp8", "pkg/vp8l",
			"pkg/hevc", "pkg/bitstream"},
		"pkg/isolate":    {"pkg/isolate", "pkg/engine", "pkg/recipe", "pkg/outcome", "pkg/known", "pkg/sysmon"},
		"pkg/sinkclient": {"pkg/pki", "pkg/wire", "pkg/zsock", "pkg/taskid", "pkg/outcome", "pkg/printable"},

		"pkg/ventilator/dispatch": {"pkg/outcome", "pkg/taskid", "pkg/wire"},
	}
	for _, p := range packages(t) {
		for home, may := range allowed {
			if !within(p.ImportPath, home) {
				continue
			}
			for _, imp := range p.Imports {
				if strings.HasPrefix(imp, module) && !within(imp, may...) {
					t.Errorf("%s imports %s; packages below %s may import only %v of this module",
						p.ImportPath, imp, home, may)
				}
			}
		}
	}
}

// The state machine of tasks can be tested exactly because it has no I/O, no clock, no randomness and no goroutines
// of its own.
func TestDispatchIsPure(t *testing.T) {
	const home = "pkg/ventilator/dispatch"
	allowed := []string{"cmp", "container/heap", "errors", "fmt", "iter", "maps", "slices", "strings", "time"}
	clock := []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}
	checked := 0
	for _, p := range packages(t) {
		if !within(p.ImportPath, home) {
			continue
		}
		checked++
		for _, imp := range p.Imports {
			if !strings.HasPrefix(imp, module) && !slices.Contains(allowed, imp) {
				t.Errorf("%s imports %s; of other modules it may import only %v", p.ImportPath, imp, allowed)
			}
		}
	}
	if checked == 0 {
		t.Fatalf("there is no package %s", home)
	}
	eachSource(t, func(path string, file *ast.File, set *token.FileSet) {
		if !strings.Contains(filepath.ToSlash(path), "/"+home+"/") {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s: dispatch starts a goroutine", set.Position(n.Pos()))
			case *ast.SelectorExpr:
				if pkg, ok := n.X.(*ast.Ident); ok && pkg.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s: dispatch reads the clock with time.%s; the caller passes in the time",
						set.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	})
}

func TestMainsAreThin(t *testing.T) {
	for _, name := range []string{"farm", "ventilator", "worker", "sink"} {
		b, err := os.ReadFile(filepath.Join("../..", name, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), "\n"); n > 60 {
			t.Errorf("%s/main.go has %d lines", name, n)
		}
	}
}

func eachSource(t *testing.T, visit func(path string, file *ast.File, set *token.FileSet)) {
	t.Helper()
	for _, p := range packages(t) {
		eachSourceOf(t, p, visit)
	}
}

func eachSourceOf(t *testing.T, p pkg, visit func(path string, file *ast.File, set *token.FileSet)) {
	t.Helper()
	set := token.NewFileSet()
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		visit(path, file, set)
	}
}

func TestNothingRegistersItself(t *testing.T) {
	eachSource(t, func(path string, file *ast.File, set *token.FileSet) {
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: an init function", set.Position(f.Pos()))
			}
		}
	})
}

// Package-level variables hold tables and errors; an assignment to one outside its declaration makes it a global state.
func TestPackageVariablesDoNotChange(t *testing.T) {
	eachSource(t, func(path string, file *ast.File, set *token.FileSet) {
		vars := make(map[string]bool)
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				for _, s := range g.Specs {
					for _, n := range s.(*ast.ValueSpec).Names {
						vars[n.Name] = n.Name != "_"
					}
				}
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
				for _, l := range a.Lhs {
					if id, ok := l.(*ast.Ident); ok && vars[id.Name] && id.Obj != nil && id.Obj.Kind == ast.Var {
						if _, top := id.Obj.Decl.(*ast.ValueSpec); top && id.Obj == file.Scope.Lookup(id.Name) {
							t.Errorf("%s: the package variable %s is assigned to", set.Position(id.Pos()), id.Name)
						}
					}
				}
			}
			return true
		})
	})
}

// The farm's words are those of docs/ARCHITECTURE.md; these are others' words for the same things.
func TestWordsAreOurs(t *testing.T) {
	foreign := regexp.MustCompile(`(?i)^(job|requeue|broker|manager|util|utils|helper|helpers|common)$`)
	for _, p := range packages(t) {
		if base := filepath.Base(p.ImportPath); foreign.MatchString(base) {
			t.Errorf("a package is named %s", base)
		}
	}
}

func TestNoFileTellsWhereItWasMade(t *testing.T) {
	cmd := exec.Command("git", "ls-files", "-z")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	home := regexp.MustCompile(`/(home|Users)/[a-z]+/|/root/|/tmp/[a-z]`)
	for _, name := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		switch filepath.Ext(name) {
		case ".md", ".yml", ".yaml", ".json", ".toml":
		default:
			continue
		}
		file, err := os.Open(filepath.Join("../..", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, not yet committed
		} else if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if home.MatchString(lines.Text()) {
				t.Errorf("%s: %s", name, lines.Text())
			}
		}
		file.Close()
	}
}
