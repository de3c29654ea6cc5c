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
	"strings"

	"github.com/tetratelabs/wazero"
)

// Env names the environment variable with the directory of the cache. Where it is empty, a process keeps no machine
// code.
const Env = "IMAGEFARM_CODE_CACHE"

// Cache is a directory with the machine code of modules. Whoever can write there can make this program do anything. So
// each use first checks that no other user can: see checkPrivate.
//
//	av1-encode.lock            held while the code is checked or added
//	av1-encode/wazero-…/KEY    the code; KEY stands for the module and the processor's features
//	av1-encode/wazero-…/KEY.sha256
type Cache string

// ErrExposed says that others than this user can write to a cache.
var ErrExposed = errors.New("others can write there")

// errAbsent says that a cache has no code of a module.
var errAbsent = errors.New("the cache has no machine code of it")

// OpenCache returns the cache in a directory, which it makes where it is missing. The error says why the directory
// cannot be used; it is ErrExposed if it is not safe.
func OpenCache(dir string) (Cache, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", err
	}
	return Cache(dir), checkPrivate(dir)
}

// Add makes sure that the cache has the machine code of a module. Code that is damaged is made again. Processes that
// add the same module wait for each other.
func (c Cache) Add(m *Module) error {
	_, err := c.add(m)
	return err
}

func (c Cache) add(m *Module) (*program, error) {
	if err := checkPrivate(string(c)); err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(string(c), m.name+".lock"))
	if err != nil {
		return nil, fmt.Errorf("lock the cache of machine code: %w", err)
	}
	defer unlock()
	dir := filepath.Join(string(c), m.name)
	if err := each(dir, removeDamaged); err != nil {
		return nil, err
	}
	p, err := m.through(dir)
	if err != nil {
		return nil, err
	}
	return p, each(dir, addSum)
}

// load returns a module as the cache has it.
func (c Cache) load(m *Module) (*program, error) {
	if c == "" {
		return nil, errAbsent
	}
	if err := checkPrivate(string(c)); err != nil {
		return nil, err
	}
	dir, found := filepath.Join(string(c), m.name), false
	if err := each(dir, func(string) error { found = true; return nil }); err != nil {
		return nil, err
	}
	if !found {
		return nil, errAbsent
	}
	return m.through(dir)
}

// through translates the module unless the directory has its machine code.
func (m *Module) through(dir string) (*program, error) {
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	return m.translate(wazero.NewRuntimeConfig().WithCompilationCache(cache))
}

const sumSuffix = ".sha256"

// each calls do with each file of machine code below a directory, if that exists.
func each(dir string, do func(path string) error) error {
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

// removeDamaged removes a file whose sum is missing or wrong. The library that reads it checks only a part of it.
func removeDamaged(path string) error {
	want, _ := os.ReadFile(path + sumSuffix) // missing: not equal
	got, err := sumOf(path)
	if err != nil || string(want) == got {
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
