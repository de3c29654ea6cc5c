package source

import (
	"context"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"
)

// A file beside an image in an archive, with the same key, is its sidecar. WebDataset takes everything up to the first
// dot of the base name for the key, and puts the files of a key side by side.

// MaxSidecar bounds a sidecar, bytes. Larger ones do not travel.
const MaxSidecar = 16 << 10

// maxTogether bounds how many files of one key are looked at together.
const maxTogether = 64

// sidecar says where a sidecar is in its archive.
type sidecar struct {
	ext      string
	at, size int64 // as in member
}

// keyOf returns the key of a file in an archive, and what follows it.
func keyOf(name string) (key, ext string) {
	dir, base := path.Split(name)
	stem, ext, _ := strings.Cut(base, ".")
	return dir + stem, strings.ToLower(ext)
}

func isSidecar(ext string) bool { return ext == "json" || ext == "txt" || ext == "cls" }

// together gathers the files of one key, so that each of them knows the sidecars.
type together struct {
	key      string
	entries  []Entry
	sidecars []sidecar
}

// flush visits the entries that were gathered, in their order.
func (t *together) flush(visit func(Entry) error) error {
	for _, e := range t.entries {
		e.in.sidecars = t.sidecars
		if err := visit(e); err != nil {
			return err
		}
	}
	t.entries, t.sidecars = nil, nil
	return nil
}

// add adds an entry of an archive, after it has visited those of another key.
func (t *together) add(e Entry, omit func(Omission), visit func(Entry) error) error {
	key, ext := keyOf(e.Name)
	if key != t.key || len(t.entries) >= maxTogether {
		if err := t.flush(visit); err != nil {
			return err
		}
		t.key = key
	}
	if isSidecar(ext) && e.Refused == nil {
		if e.Size > MaxSidecar {
			omit(Omission{Location: e.Location, Kind: LargeSidecar})
			return nil
		}
		t.sidecars = append(t.sidecars, sidecar{ext, e.in.at, e.Size})
	}
	t.entries = append(t.entries, e)
	return nil
}

// Sidecars returns the texts of the files that travel with an entry, by extension: the .json, .txt and .cls beside an
// image in an archive. Those that are no UTF-8 are left out.
func Sidecars(ctx context.Context, s Source, e Entry) (map[string]string, error) {
	in, is := s.(*shards)
	if !is || e.in == nil || len(e.in.sidecars) == 0 {
		return nil, nil
	}
	opened, err := in.open.acquire(ctx, in.base, e.in.shard)
	if err != nil {
		return nil, err
	}
	defer in.open.release(opened)
	texts := make(map[string]string)
	for _, beside := range e.in.sidecars {
		data, err := opened.file(beside.at, beside.size)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(data)
		if closeErr := data.Close(); err == nil {
			err = closeErr
		}
		if err != nil {
			return nil, fmt.Errorf("read the .%s beside %s: %w", beside.ext, e.Location, err)
		}
		if utf8.Valid(text) {
			texts[beside.ext] = string(text)
		}
	}
	return texts, nil
}
