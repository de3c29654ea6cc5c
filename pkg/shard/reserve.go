package shard

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// Reserve returns an error that is a blob.ErrObstructed unless outputs of these names may be added: no other output has
// their key, and nobody else has reserved it. A sample of the same output will be superseded. Committed and Release end
// the reservation.
func (s *Set) Reserve(names []string) error {
	for i, name := range names {
		if err := s.reserve(name); err != nil {
			s.Release(names[:i])
			return err
		}
	}
	return nil
}

func (s *Set) reserve(name string) error {
	if err := blob.CheckName(name); err != nil {
		return err
	}
	key, ext := Key(name)
	s.mu.Lock()
	if other, taken := s.reserved[key]; taken {
		s.mu.Unlock()
		return s.clash(name, fmt.Sprintf("the output %q has the same key %q", other, key))
	}
	s.reserved[key] = name // so that it does not change while the ledger is asked
	s.mu.Unlock()
	p, found, err := s.cfg.Ledger.PlaceOf(key)
	if found && err == nil {
		err = s.checkKey(name, key, ext, p)
	}
	if err != nil {
		s.Release([]string{name})
	}
	return err
}

// checkKey returns an error if the sample of a key at a place is that of another output than name.
func (s *Set) checkKey(name, key, ext string, p ledger.Place) error {
	other := ""
	if p.Ext != ext {
		other = "one with the extension " + p.Ext
	} else {
		err := s.cfg.Ledger.Owners(namesLike(name, ext), func(owned string, _ ledger.Entry) {
			other = fmt.Sprintf("%q", owned)
		})
		if err != nil {
			return err
		}
	}
	if other == "" {
		return nil
	}
	if err := s.checkPlace(p); err != nil {
		return err
	}
	shard := s.pattern.Shard(p.Shard)
	switch err := s.StatAt(shard, p.Offset+p.Size); {
	case errors.Is(err, fs.ErrNotExist):
		return nil // that shard was removed
	case err != nil:
		return err
	}
	return s.clash(name, fmt.Sprintf("%s has a sample of the same key %q, of another output, %s: choose another --out",
		shard, key, other))
}

func (s *Set) clash(name, why string) error {
	return &blob.Fault{Kind: blob.ErrObstructed, Op: "write", Name: name, Dir: s.Path(), Why: why}
}

// Release ends the reservation of outputs that are not to be added.
func (s *Set) Release(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		key, _ := Key(name)
		delete(s.reserved, key)
	}
}
