package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Limits of a directory of assets. Each child keeps its files in memory.
const (
	maxAssets     = 1000
	maxAssetBytes = 64 << 20
)

// assets are the files of a directory in memory: children cannot open files while they transform. Recipes name them
// without directories, so there are none.
type assets map[string][]byte

var _ fs.ReadFileFS = assets(nil)

// readAssets reads the regular files of dir, but not those of its directories.
func readAssets(dir string) (assets, error) {
	root, err := os.OpenRoot(dir) // links cannot lead out of it
	if err != nil {
		return nil, fmt.Errorf("--assets: %w", err)
	}
	defer root.Close()
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("--assets: %w", err)
	}
	all, room := make(assets), int64(maxAssetBytes)
	for _, entry := range entries {
		info, err := root.Stat(entry.Name())
		if err != nil || !info.Mode().IsRegular() {
			continue // a directory, a link to nowhere: no recipe can use it
		}
		data, err := readAsset(root, entry.Name(), room)
		if err != nil {
			return nil, fmt.Errorf("--assets: cannot read %q in %s: %w", entry.Name(), dir, err)
		}
		if room -= int64(len(data)); room < 0 || len(all) == maxAssets {
			return nil, fmt.Errorf("--assets: %s holds more than %d files or %s: "+
				"keep the watermarks in a directory of their own",
				dir, maxAssets, showBytes(maxAssetBytes))
		}
		all[entry.Name()] = data
	}
	return all, nil
}

// readAsset returns a file's bytes, or a few more than room if it has more than room.
func readAsset(root *os.Root, name string, room int64) (data []byte, err error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, room+1))
}

// ReadFile implements fs.ReadFileFS.
func (a assets) ReadFile(name string) ([]byte, error) {
	data, ok := a[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return slices.Clone(data), nil
}

// Open implements fs.FS, for which engines have no use: they read whole files.
func (a assets) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
}
