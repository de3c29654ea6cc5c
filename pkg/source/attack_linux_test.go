package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/source"
)

func TestEntryThatBecameAPipeIsNotWaitedFor(t *testing.T) {
	err := swapped(t, "12345", func(path string) {
		if err := errors.Join(os.Remove(path), syscall.Mkfifo(path, 0o644)); err != nil {
			t.Fatal(err)
		}
	})
	if !errors.Is(err, source.ErrChanged) {
		t.Errorf("%v", err)
	}
}

func TestPipesAndDevicesAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.jpg"), 0o644); err != nil {
		t.Fatal(err)
	}
	link(t, os.DevNull, filepath.Join(dir, "null.jpg"))
	entries, omitted := walk(t, parse(t, dir, source.Config{FollowLinks: true}))
	if len(entries) != 0 || len(omitted) != 2 || !strings.HasPrefix(omitted[0], string(source.Special)) {
		t.Errorf("found %v, left out %q", entries, omitted)
	}
}

// The kernel says that this file is empty, and gives out the environment of the farm.
func TestEnvironmentIsNotReadThroughALink(t *testing.T) {
	dir := t.TempDir()
	link(t, "/proc/self/environ", filepath.Join(dir, "x.jpg"))
	if entries, omitted := walk(t, parse(t, dir, source.Config{})); len(entries) != 0 || len(omitted) != 1 {
		t.Errorf("found %v, left out %q", entries, omitted)
	}
	s := parse(t, dir, source.Config{FollowLinks: true})
	entries, _ := walk(t, s)
	for _, e := range entries {
		if got, err := read(s, e); err == nil && got != "" {
			t.Errorf("%d bytes of the environment were read", len(got))
		}
	}
}

func TestFileThatGrowsIsReadToTheSizeThatWasFound(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.jpg")
	write(t, path, "12345")
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	f, err := s.Open(t.Context(), entries[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Truncate(path, 6<<30); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, _ := f.Read(b); n != 5 || f.Size != 5 {
		t.Errorf("%d bytes were read of %d", n, f.Size)
	}
	if n, err := f.Read(b); n != 0 {
		t.Errorf("%d more bytes were read, %v", n, err)
	}
}

func TestDeepTreeNeedsFewOpenFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, strings.Repeat("d/", 100), "a.jpg"), "a")
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		return len(entries)
	}
	before := open()
	err := parse(t, dir, source.Config{}).Walk(t.Context(), func(source.Entry) error {
		if n := open() - before; n > 2 {
			t.Errorf("%d files are open at the bottom", n)
		}
		return nil
	}, func(o source.Omission) { t.Errorf("left out: %v", o) })
	if err != nil {
		t.Error(err)
	}
}

func TestOpenWaitsWhileTooManyFilesAreOpen(t *testing.T) {
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.jpg"), "a")
	s := parse(t, dir, source.Config{})
	entries, _ := walk(t, s)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	over, cut := context.WithCancelCause(t.Context())
	cut(errors.New("the run was cut"))
	_, err := s.Open(over, entries[0])
	if restored := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old); restored != nil {
		t.Fatal(restored)
	}
	if err == nil || !strings.Contains(err.Error(), "the run was cut") {
		t.Errorf("it did not wait: %v", err)
	}
	if got, err := read(s, entries[0]); err != nil || got != "a" {
		t.Errorf("%q, %v", got, err)
	}
}
