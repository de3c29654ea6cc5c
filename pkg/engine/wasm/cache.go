package wasm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/tetratelabs/wazero"
	"golang.org/x/sys/cpu"
)

// Env names the environment variable with the directory of the cache. Where it is empty, a process keeps no machine
// code.
const Env = "IMAGEFARM_CODE_CACHE"

// Cache is a directory with the machine code of modules. Whoever can write there can make this program do anything. So
// each use first checks that no other user can: see checkPrivate.
//
//	av1-encode.lock           held while the code is checked or added
//	av1-encode/ID/…/KEY       the code; Module.directory makes the ID
//	av1-encode/ID/…/KEY.sha256
type Cache string

// ErrExposed says that others than this user can write to a cache.
var ErrExposed = errors.New("others can write there")

// errAbsent says that a cache has no code of a module.
var errAbsent = errors.New("the cache has no machine code of it")

// OpenCache returns the cache in a directory, which it makes where it is missing. The error says why the directory
// cannot be used; it is ErrExposed if it is not safe. A directory that cannot be written to can be used if it has the
// machine code of the codecs, of which there must be some.
func OpenCache(dir string, codecs ...*Module) (Cache, error) {
	c, err := CheckCache(dir, codecs...)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(string(c), 0o700); err != nil {
		return "", err
	}
	return c, checkPrivate(string(c))
}

// CheckCache returns what OpenCache does, but makes no directory.
func CheckCache(dir string, codecs ...*Module) (Cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	existing := dir
	resolved, err := filepath.EvalSymlinks(existing)
	for errors.Is(err, fs.ErrNotExist) && existing != filepath.Dir(existing) {
		existing = filepath.Dir(existing)
		resolved, err = filepath.EvalSymlinks(existing)
	}
	if err != nil {
		return "", err
	}
	c, check := Cache(filepath.Join(resolved, strings.TrimPrefix(dir, existing))), checkPrivate
	if existing != dir {
		check = checkParents
	}
	if err := check(resolved); err != nil {
		return "", err
	}
	if err := checkWritable(resolved); err != nil && !c.hasAll(codecs) {
		return "", fmt.Errorf("write to %s: %w", resolved, err)
	}
	return c, nil
}

// hasAll reports whether the cache has the machine code of all codecs, and there are any.
func (c Cache) hasAll(codecs []*Module) bool {
	for _, m := range codecs {
		if !c.has(m) {
			return false
		}
	}
	return len(codecs) > 0
}

// has reports whether the cache has the machine code of a module, whole. It is slow: see isWhole.
func (c Cache) has(m *Module) (found bool) {
	err := walkCode(m.directory(c), func(path string) error {
		whole, err := isWhole(path)
		found = found || whole
		return err
	})
	return found && err == nil
}

// Add makes sure that the cache has the machine code of a module. Code that is damaged is made again. Processes that
// add the same module wait for each other.
func (c Cache) Add(m *Module) error {
	p, err := c.add(m)
	if err == nil {
		p.close()
	}
	return err
}

func (c Cache) add(m *Module) (*program, error) {
	if err := checkPrivate(string(c)); err != nil {
		return nil, err
	}
	dir := m.directory(c)
	unlock, err := lock(filepath.Join(string(c), m.name+".lock"))
	if err != nil {
		if c.has(m) { // made before the directory became read-only
			return m.translateIn(dir)
		}
		return nil, fmt.Errorf("lock the cache of machine code: %w", err)
	}
	defer unlock()
	if err := walkCode(dir, removeDamaged); err != nil {
		return nil, err
	}
	p, err := m.translateIn(dir)
	if err != nil {
		return nil, err
	}
	if err := walkCode(dir, addSum); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// load returns a module as the cache has it.
func (c Cache) load(m *Module) (*program, error) {
	if c == "" {
		return nil, errAbsent
	}
	if err := checkPrivate(string(c)); err != nil {
		return nil, err
	}
	dir, found := m.directory(c), false
	if err := walkCode(dir, func(path string) error {
		_, err := os.Lstat(path + sumSuffix)
		found = found || err == nil
		return nil
	}); err != nil {
		return nil, err
	}
	if !found {
		return nil, errAbsent
	}
	return m.translateIn(dir)
}

// directory returns where the cache has the machine code that this translator makes of the module for this processor.
// wazero chooses the file by the same properties, but does not say whether it has one.
func (m *Module) directory(c Cache) string {
	h := sha256.New()
	fmt.Fprintln(h, runtime.GOOS, runtime.GOARCH, cpu.X86, cpu.ARM64)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				fmt.Fprintln(h, d.Version, d.Sum, d.Replace)
			}
		}
	}
	h.Write(m.packed)
	return filepath.Join(string(c), m.name, hex.EncodeToString(h.Sum(nil)[:16]))
}

// translateIn translates the module unless the directory has its machine code.
func (m *Module) translateIn(dir string) (*program, error) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	return m.translate(wazero.NewRuntimeConfig().WithCompilationCache(cache))
}

const sumSuffix = ".sha256"

// walkCode calls do with each file of machine code below a directory, if that exists.
func walkCode(dir string, do func(path string) error) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasSuffix(path, sumSuffix) {
			return err
		}
		return do(path)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// isWhole reports whether a file has the sum that stands beside it. The library that reads it checks only a part of it.
func isWhole(path string) (bool, error) {
	want, _ := os.ReadFile(path + sumSuffix) // missing: not equal
	got, err := sumOf(path)
	return string(want) == got, err
}

// removeDamaged removes a file whose sum is missing or wrong.
func removeDamaged(path string) error {
	if whole, err := isWhole(path); whole || err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.RemoveAll(path + sumSuffix)
}

// addSum writes the sum of a file that has none.
func addSum(path string) error {
	if _, err := os.Lstat(path + sumSuffix); err == nil {
		return nil
	}
	sum, err := sumOf(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path+sumSuffix, []byte(sum), 0o600)
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
