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

func TestImagesOfTheSameContentsAreTheSameBytes(t *testing.T) {
	at := time.Unix(1_700_000_000, 0).UTC()
	saved := func(built time.Time, id string) []byte {
		var layer bytes.Buffer
		l := tar.NewWriter(&layer)
		names := []string{"usr/farm", "etc/certs"}
		if id == "two" {
			names = []string{"etc/certs", "usr/farm"}
		}
		for _, name := range names {
			h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o755, Size: int64(len(name)), ModTime: built}
			if err := l.WriteHeader(h); err != nil {
				t.Fatal(err)
			}
			if _, err := l.Write([]byte(name)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		var all bytes.Buffer
		a := tar.NewWriter(&all)
		for name, data := range map[string]string{
			"manifest.json": `[{"Config":"` + id + `.json","RepoTags":["x:1"],"Layers":["` + id + `/layer.tar"]}]`,
			id + ".json": `{"created":"` + built.Format(time.RFC3339) + `","container":"` + id +
				`","history":[{"created":"now"}]}`,
			id + "/layer.tar": layer.String(),
			id + "/VERSION":   "1.0",
			"repositories":    id,
		} {
			if err := a.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(data))}); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Write([]byte(data)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		return all.Bytes()
	}
	var one, two bytes.Buffer
	if err := normalizeImage(&one, bytes.NewReader(saved(at.Add(time.Hour), "one")), at); err != nil {
		t.Fatal(err)
	}
	if err := normalizeImage(&two, bytes.NewReader(saved(at.Add(2*time.Hour), "two")), at); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Errorf("two builds of the same image differ:\n%q\n%q", one.String(), two.String())
	}
}
