//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package wasm

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// answering is a new module whose function f returns 42. Each call returns what a new process would have.
func answering(t *testing.T) *Module {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte("\x00asm\x01\x00\x00\x00" + // the version
		"\x01\x05\x01\x60\x00\x01\x7f" + // a type: no arguments, one integer of 32 bits
		"\x03\x02\x01\x00" + // a function of that type
		"\x07\x05\x01\x01f\x00\x00" + // exported as f
		"\x0a\x06\x01\x04\x00\x41\x2a\x0b")) // its code: i32.const 42
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return &Module{name: "answer", packed: b.Bytes()}
}

func wantAnswer(t *testing.T, m *Module) {
	t.Helper()
	s, err := m.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Call("f"); got != 42 || err != nil {
		t.Errorf("f says %d, %v, want 42", got, err)
	}
}

// newCache returns an empty cache that Env names.
func newCache(t *testing.T) Cache {
	t.Helper()
	c, err := OpenCache(filepath.Join(t.TempDir(), "cache"))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(Env, string(c))
	return c
}

// filesOf returns the files with machine code.
func filesOf(t *testing.T, c Cache) (all []string) {
	t.Helper()
	if err := walkCode(filepath.Join(string(c), "answer"), func(path string) error {
		all = append(all, path)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// onlyFile returns the file with the machine code of the one module in a cache, and what it has.
func onlyFile(t *testing.T, c Cache) (path string, data []byte) {
	t.Helper()
	all := filesOf(t, c)
	if len(all) != 1 {
		t.Fatalf("%d files of machine code, want 1", len(all))
	}
	data, err := os.ReadFile(all[0])
	if err != nil {
		t.Fatal(err)
	}
	return all[0], data
}

// skipWithoutTranslator skips a test where modules are interpreted, so that there is no machine code.
func skipWithoutTranslator(t *testing.T) {
	t.Helper()
	c := newCache(t)
	if err := c.Add(answering(t)); err != nil {
		t.Fatal(err)
	}
	if len(filesOf(t, c)) == 0 {
		t.Skip("wazero has no translator for this processor")
	}
}

func TestMachineCodeIsKept(t *testing.T) {
	skipWithoutTranslator(t)
	c := newCache(t)
	if err := answering(t).Load(); !errors.Is(err, errAbsent) {
		t.Errorf("an empty cache: %v, want %v", err, errAbsent)
	}
	wantAnswer(t, answering(t)) // adds it
	path, _ := onlyFile(t, c)
	past := time.Unix(1e9, 0)
	if err := os.Chtimes(path, past, past); err != nil {
		t.Fatal(err)
	}
	m := answering(t)
	if err := m.Load(); err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, m)
	if err := c.Add(answering(t)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || !info.ModTime().Equal(past) {
		t.Errorf("the file was written again: %v, %v", info, err)
	}
}

func TestDamagedMachineCodeIsMadeAgain(t *testing.T) {
	skipWithoutTranslator(t)
	c := newCache(t)
	if err := c.Add(answering(t)); err != nil {
		t.Fatal(err)
	}
	path, whole := onlyFile(t, c)
	damaged := map[string]func() error{
		"empty":        func() error { return os.WriteFile(path, nil, 0o600) },
		"cut":          func() error { return os.WriteFile(path, whole[:len(whole)/2], 0o600) },
		"no sum":       func() error { return os.Remove(path + sumSuffix) },
		"an empty sum": func() error { return os.WriteFile(path+sumSuffix, nil, 0o600) },
		"left over":    func() error { return os.WriteFile(path+".1.tmp", whole[:9], 0o600) },
	}
	for _, at := range []int{0, 8, len(whole) / 3, len(whole) / 2, len(whole) - 1} {
		damaged[fmt.Sprint("a changed byte at ", at)] = func() error {
			other := bytes.Clone(whole)
			other[at] ^= 0x55
			return os.WriteFile(path, other, 0o600)
		}
	}
	for name, damage := range damaged {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		wantAnswer(t, answering(t))
		if _, now := onlyFile(t, c); !bytes.Equal(now, whole) {
			t.Errorf("%s: it was not made again", name)
		}
		if err := answering(t).Load(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever can write to the cache can have its reader run anything.
func TestExposedCacheIsRefused(t *testing.T) {
	for name, expose := range map[string]func(dir string) error{
		"group reads":         func(dir string) error { return os.Chmod(dir, 0o750) },
		"all write":           func(dir string) error { return os.Chmod(dir, 0o777) },
		"all write, sticky":   func(dir string) error { return os.Chmod(dir, 0o777|os.ModeSticky) },
		"all write above":     func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o777) },
		"group writes above":  func(dir string) error { return os.Chmod(filepath.Dir(dir), 0o770) },
		"all write inside":    func(dir string) error { return os.Chmod(filepath.Join(dir, "answer"), 0o777) },
		"all write to a file": func(dir string) error { return os.Chmod(filepath.Join(dir, "answer.lock"), 0o666) },
		"a link":              func(dir string) error { return os.Symlink("/dev/null", filepath.Join(dir, "answer", "x")) },
		"another's":           func(dir string) error { return os.Chown(dir, 12345, -1) },
		"another's above":     func(dir string) error { return os.Chown(filepath.Dir(dir), 12345, -1) },
		"a file is another's": func(dir string) error { return os.Chown(filepath.Join(dir, "answer.lock"), 12345, -1) },
		"a link is where it was": func(dir string) error {
			return errors.Join(os.Rename(dir, dir+"2"), os.Symlink(dir+"2", dir))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCache(t)
			if err := c.Add(answering(t)); err != nil {
				t.Fatal(err)
			}
			before := len(filesOf(t, c))
			if err := expose(string(c)); errors.Is(err, os.ErrPermission) {
				t.Skip("only root gives files away")
			} else if err != nil {
				t.Fatal(err)
			}
			m := answering(t)
			if err := m.Load(); !errors.Is(err, ErrExposed) {
				t.Errorf("loaded from it: %v", err)
			}
			if err := c.Add(m); !errors.Is(err, ErrExposed) {
				t.Errorf("added to it: %v", err)
			}
			wantAnswer(t, m) // without the cache
			if name != "a link" && name != "a link is where it was" && len(filesOf(t, c)) != before {
				t.Error("it was written to")
			}
		})
	}
}

func TestStickyDirectoriesAboveAreSafe(t *testing.T) {
	c := newCache(t)
	if err := os.Chmod(filepath.Dir(string(c)), 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(answering(t)); err != nil {
		t.Error(err)
	}
}

func TestModulesRunWithoutACache(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCache(filepath.Join(file, "cache")); err == nil {
		t.Error("a cache in a file")
	}
	for _, dir := range []string{"", file, filepath.Join(file, "cache"), filepath.Join(t.TempDir(), "none")} {
		t.Setenv(Env, dir)
		if err := answering(t).Load(); err == nil {
			t.Errorf("%q: loaded", dir)
		}
		wantAnswer(t, answering(t))
	}
}

func TestConcurrentAddsMakeOneFile(t *testing.T) {
	skipWithoutTranslator(t)
	c := newCache(t)
	var all sync.WaitGroup
	for range 8 {
		m := answering(t)
		all.Go(func() {
			if err := c.Add(m); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	onlyFile(t, c)
	if err := answering(t).Load(); err != nil {
		t.Error(err)
	}
}

func TestCodeOfOtherTranslatorsIsNotLoaded(t *testing.T) {
	skipWithoutTranslator(t)
	c := newCache(t)
	m := answering(t)
	if err := c.Add(m); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(m.directory(c), filepath.Join(string(c), m.name, "other")); err != nil {
		t.Fatal(err)
	}
	if err := m.Load(); !errors.Is(err, errAbsent) {
		t.Errorf("loaded: %v, want %v", err, errAbsent)
	}
	if err := c.Add(m); err != nil {
		t.Fatal(err)
	}
	if n := len(filesOf(t, c)); n != 2 {
		t.Errorf("%d files, want the other translator's to stay", n)
	}
}

func TestOnlyASafeDirectoryIsMade(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "parent")
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "a", "cache")
	if c, err := CheckCache(dir); c == "" || err != nil {
		t.Errorf("%q, %v", c, err)
	}
	wantNone := func() {
		t.Helper()
		if entries, err := os.ReadDir(parent); err != nil || len(entries) != 0 {
			t.Errorf("made %v, %v", entries, err)
		}
	}
	wantNone()
	if err := os.Chmod(parent, 0o777); err != nil { // as a volume of Kubernetes
		t.Fatal(err)
	}
	if _, err := OpenCache(dir); !errors.Is(err, ErrExposed) {
		t.Errorf("below a directory that all may write to: %v", err)
	}
	wantNone()
	if err := errors.Join(os.Chmod(parent, 0o700), os.Chown(parent, 12345, -1)); errors.Is(err, os.ErrPermission) {
		t.Skip("only root gives files away")
	} else if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenCache(dir); !errors.Is(err, ErrExposed) {
		t.Errorf("below another user's directory: %v", err)
	}
	wantNone()
}

func TestReadOnlyCacheIsUsedIfItIsComplete(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can write to a read-only directory")
	}
	skipWithoutTranslator(t)
	c := newCache(t)
	open := func(mode os.FileMode) error {
		t.Helper()
		if err := os.Chmod(string(c), mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenCache(string(c), answering(t))
		return err
	}
	defer func() { _ = open(0o700) }()
	if err := open(0o500); err == nil {
		t.Error("opened an empty cache that cannot be written to")
	}
	if err := open(0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.Add(answering(t)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(string(c), "answer.lock")); err != nil {
		t.Fatal(err)
	}
	if err := open(0o500); err != nil {
		t.Errorf("a complete cache: %v", err)
	}
	if err := c.Add(answering(t)); err != nil {
		t.Errorf("added to a complete cache: %v", err)
	}
	path, _ := onlyFile(t, c)
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(0o500); err == nil {
		t.Error("opened a damaged cache that cannot be written to")
	}
}
