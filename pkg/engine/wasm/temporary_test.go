//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package wasm

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// openTemporaryIn opens a temporary cache in a directory of temporary files.
func openTemporaryIn(t *testing.T, parent string) *TemporaryCache {
	t.Helper()
	t.Setenv("TMPDIR", parent)
	c, err := NewTemporaryCache()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(); err != nil {
		t.Fatal(err)
	}
	return c
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestOnlyAbandonedTemporaryCachesAreRemoved(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "tmp")
	if err := os.Mkdir(parent, 0o700); err != nil {
		t.Fatal(err)
	}
	make := func(name string, mode os.FileMode) string {
		t.Helper()
		dir := filepath.Join(parent, temporaryPrefix+name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	target := filepath.Join(t.TempDir(), "target")
	if err := os.Mkdir(target, 0o700); err != nil {
		t.Fatal(err)
	}
	abandoned, used := make("abandoned", 0o700), openTemporaryIn(t, parent) // removes it
	defer used.Remove()
	if exists(abandoned) || !exists(string(used.Cache)) {
		t.Errorf("the abandoned one is there: %v; the new one: %v", exists(abandoned), exists(string(used.Cache)))
	}
	stay := []string{
		string(used.Cache), make("open-to-all", 0o777), make("open-to-readers", 0o755),
		filepath.Join(parent, temporaryPrefix+"link"), filepath.Join(parent, temporaryPrefix+"file"), target,
		filepath.Join(parent, "imagefarm-other"),
	}
	if err := os.Symlink(target, stay[3]); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{stay[4], stay[6]} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 {
		others := make("anothers", 0o700)
		if err := os.Chown(others, 12345, -1); err != nil {
			t.Fatal(err)
		}
		stay = append(stay, others)
	}
	abandoned = make("abandoned", 0o700)
	again := openTemporaryIn(t, parent)
	if exists(abandoned) {
		t.Error("an abandoned one is there")
	}
	for _, path := range stay {
		if !exists(path) {
			t.Errorf("%s was removed", path)
		}
	}
	again.Remove()
	if exists(string(again.Cache)) {
		t.Error("its own one is there after its end")
	}
	if err := again.Open(); err != nil || exists(string(again.Cache)) {
		t.Errorf("made again after its end: %v, %v", exists(string(again.Cache)), err)
	}
}

// Where others may rename directories, what is removed need not be what was looked at.
func TestNothingIsRemovedWhereOthersMayWrite(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, temporaryPrefix+"x")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(parent, 0o777); err != nil {
		t.Fatal(err)
	}
	removeAbandoned(parent, temporaryPrefix)
	if !exists(dir) {
		t.Error("it was removed")
	}
	if err := os.Chmod(parent, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	removeAbandoned(parent, temporaryPrefix)
	if exists(dir) {
		t.Error("it is there")
	}
}

// One process may remove what another has just made, and not yet locked.
func TestTemporaryCachesOpenBesideEachOther(t *testing.T) {
	parent := t.TempDir()
	t.Setenv("TMPDIR", parent)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				c, err := NewTemporaryCache()
				if err != nil {
					t.Error(err)
					return
				}
				if err := c.Open(); err != nil || !exists(string(c.Cache)) {
					t.Errorf("there: %v, %v", exists(string(c.Cache)), err)
				}
				c.Remove()
			}
		})
	}
	all.Wait()
	if left, err := os.ReadDir(parent); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
