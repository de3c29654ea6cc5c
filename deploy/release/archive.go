package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// file is an entry of an archive: a file of this machine, or a symbolic link.
type file struct {
	name string // in the archive, slash-separated
	from string // on this machine; "" for a link
	link string // where the link points
	mode int64
}

// programs are what a release consists of; the first is all of them, by the name it is called by.
var programs = []string{"farm", "ventilator", "worker", "sink"}

// platform builds the programs for one platform and packs them.
func (b *build) platform(ctx context.Context, goos, goarch string) error {
	dir := filepath.Join(b.work, goos+"-"+goarch)
	name := fmt.Sprintf("imagefarm_%s_%s_%s", b.version, goos, goarch)
	var files []file
	if goos == "windows" { // whose users cannot make links
		if err := compile(ctx, goos, goarch, dir, programs...); err != nil {
			return err
		}
		for _, p := range programs {
			files = append(files, file{name: p + ".exe", from: filepath.Join(dir, p+".exe"), mode: 0o755})
		}
	} else { // farm is all four programs, by the name it is called by
		if err := compile(ctx, goos, goarch, dir, "farm"); err != nil {
			return err
		}
		files = append(files, file{name: "farm", from: filepath.Join(dir, "farm"), mode: 0o755})
		for _, p := range programs[1:] {
			files = append(files, file{name: p, link: "farm", mode: 0o777})
		}
	}
	for _, f := range []string{"LICENSE", "README.md", "CHANGELOG.md"} {
		files = append(files, file{name: f, from: f, mode: 0o644})
	}
	for _, pattern := range []string{"completions/*", "man/*.1", thirdParty} {
		found, err := filepath.Glob(filepath.Join(b.work, filepath.FromSlash(pattern)))
		if err != nil {
			return err
		}
		for _, f := range found {
			rel := filepath.ToSlash(strings.TrimPrefix(f, b.work+string(filepath.Separator)))
			files = append(files, file{name: rel, from: f, mode: 0o644})
		}
	}
	for i := range files {
		files[i].name = name + "/" + files[i].name
	}
	slices.SortFunc(files, func(x, y file) int { return strings.Compare(x.name, y.name) })
	if goos == "windows" {
		return b.write(name+".zip", func(w io.Writer) error { return writeZip(w, files, b.at) })
	}
	if err := b.write(name+".tar.gz", func(w io.Writer) error { return writeTar(w, files, b.at) }); err != nil {
		return err
	}
	if goos == "linux" {
		return b.packages(ctx, goarch, filepath.Join(dir, "farm"))
	}
	return nil
}

// write writes a file of the release.
func (b *build) write(name string, fill func(io.Writer) error) error {
	f, err := os.Create(filepath.Join(b.out, name))
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	return f.Close()
}

// writeTar writes a compressed archive whose bytes depend on the files and the time alone.
func writeTar(w io.Writer, files []file, at time.Time) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	for _, f := range files {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: f.mode, ModTime: at, Format: tar.FormatUSTAR}
		var data []byte
		if f.link != "" {
			h.Typeflag, h.Linkname = tar.TypeSymlink, f.link
		} else if data, err = os.ReadFile(f.from); err != nil {
			return err
		}
		h.Size = int64(len(data))
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(data); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func writeZip(w io.Writer, files []file, at time.Time) error {
	z := zip.NewWriter(w)
	for _, f := range files {
		data, err := os.ReadFile(f.from)
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		h.SetMode(os.FileMode(f.mode))
		entry, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := entry.Write(data); err != nil {
			return err
		}
	}
	return z.Close()
}
