package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// image builds the container image of the Dockerfile and saves it for `docker load`. Where there is no Docker it
// says so.
func (b *build) image(ctx context.Context) error {
	if err := exec.CommandContext(ctx, "docker", "info").Run(); err != nil {
		fmt.Fprintln(os.Stderr, "no container image is built: docker does not answer")
		return nil
	}
	tag := "imagefarm:" + b.version
	fmt.Fprintln(os.Stderr, "building", tag)
	if err := run(ctx, []string{"DOCKER_BUILDKIT=1"}, "docker", "build", "--quiet", "--tag", tag, "."); err != nil {
		return err
	}
	saved := filepath.Join(b.work, "image.tar")
	if err := run(ctx, nil, "docker", "save", "--output", saved, tag); err != nil {
		return err
	}
	return b.write("imagefarm_"+b.version+"_image.tar.gz", func(w io.Writer) error {
		f, err := os.Open(saved)
		if err != nil {
			return err
		}
		defer f.Close()
		z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
		if err != nil {
			return err
		}
		if err := normalizeImage(z, f, b.at); err != nil {
			return err
		}
		return z.Close()
	})
}

// normalizeImage rewrites what `docker save` wrote so that its bytes depend on the contents of the image alone:
// every time becomes at, and entries are sorted.
func normalizeImage(w io.Writer, r io.Reader, at time.Time) error {
	files, err := readTar(r)
	if err != nil {
		return err
	}
	var manifest []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	if err := json.Unmarshal(files["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		return fmt.Errorf("docker saved no image that is known here: %w", err)
	}
	image := &manifest[0]
	var config map[string]any
	if err := json.Unmarshal(files[image.Config], &config); err != nil {
		return fmt.Errorf("the image's configuration: %w", err)
	}
	out := make(map[string][]byte)
	var digests []any
	for i, name := range image.Layers {
		layer, err := normalizeLayer(files[name], at)
		if err != nil {
			return fmt.Errorf("layer %s: %w", name, err)
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(layer))
		digests = append(digests, "sha256:"+sum)
		image.Layers[i] = sum + ".tar"
		out[image.Layers[i]] = layer
	}
	config["rootfs"] = map[string]any{"type": "layers", "diff_ids": digests}
	config["created"] = at.Format(time.RFC3339)
	delete(config, "container") // the identity of this build
	delete(config, "container_config")
	if history, ok := config["history"].([]any); ok {
		for _, h := range history {
			if step, ok := h.(map[string]any); ok {
				step["created"] = at.Format(time.RFC3339)
			}
		}
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	image.Config = fmt.Sprintf("%x.json", sha256.Sum256(text))
	out[image.Config] = text
	if out["manifest.json"], err = json.Marshal(manifest); err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(out)) {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, ModTime: at, Size: int64(len(out[name])),
			Format: tar.FormatUSTAR}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(out[name]); err != nil {
			return err
		}
	}
	return t.Close()
}

// normalizeLayer sorts the entries of a layer and gives each of them one time.
func normalizeLayer(layer []byte, at time.Time) ([]byte, error) {
	var r io.Reader = bytes.NewReader(layer)
	if bytes.HasPrefix(layer, []byte{0x1f, 0x8b}) {
		var err error
		if r, err = gzip.NewReader(r); err != nil {
			return nil, err
		}
	}
	type entry struct {
		header *tar.Header
		data   []byte
	}
	var entries []entry
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{&tar.Header{Typeflag: h.Typeflag, Name: h.Name, Linkname: h.Linkname, Mode: h.Mode,
			Uid: h.Uid, Gid: h.Gid, Size: h.Size, ModTime: at, Format: tar.FormatPAX}, data})
	}
	slices.SortStableFunc(entries, func(x, y entry) int { return strings.Compare(x.header.Name, y.header.Name) })
	var out bytes.Buffer
	t := tar.NewWriter(&out)
	for _, e := range entries {
		if err := t.WriteHeader(e.header); err != nil {
			return nil, err
		}
		if _, err := t.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := t.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// readTar returns the regular files of an archive by name.
func readTar(r io.Reader) (map[string][]byte, error) {
	files := make(map[string][]byte)
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if files[h.Name], err = io.ReadAll(t); err != nil {
			return nil, err
		}
	}
}
