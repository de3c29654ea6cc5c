package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestArchivesOfTheSameFilesAreTheSameBytes(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	dir := t.TempDir()
	name := filepath.Join(dir, "farm")
	if err := os.WriteFile(name, []byte("a program"), 0o755); err != nil {
		t.Fatal(err)
	}
	files := []file{{name: "x/farm", from: name, mode: 0o755}, {name: "x/sink", link: "farm", mode: 0o777}}
	var first, second bytes.Buffer
	if err := writeTar(&first, files, at); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, at, at.Add(time.Hour)); err != nil { // as a later build has it
		t.Fatal(err)
	}
	if err := writeTar(&second, files, at); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of the same files differ")
	}
	z, err := gzip.NewReader(&first)
	if err != nil {
		t.Fatal(err)
	}
	r := tar.NewReader(z)
	program, err := r.Next()
	if err != nil || program.Name != "x/farm" || program.Mode != 0o755 || !program.ModTime.Equal(at) {
		t.Errorf("the first entry is %+v, %v", program, err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != "a program" {
		t.Errorf("the program is %q, %v", b, err)
	}
	link, err := r.Next()
	if err != nil || link.Typeflag != tar.TypeSymlink || link.Linkname != "farm" {
		t.Errorf("the second entry is %+v, %v", link, err)
	}

	files = files[:1]
	var one, two bytes.Buffer
	if err := writeZip(&one, files, at); err != nil {
		t.Fatal(err)
	}
	if err := writeZip(&two, files, at); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two zip archives of the same files differ")
	}
}
