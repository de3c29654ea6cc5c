//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package blob

import (
	"os"
	"path/filepath"
)

// place is a directory in which files are made.
type place struct{ root *os.Root }

func openPlace(root *os.Root, name string) (*place, error) {
	r, err := root.OpenRoot(name)
	return &place{r}, err
}

// create makes a file, of a name without slashes that nothing has.
func (p *place) create(name string) (*os.File, error) {
	return p.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

func (p *place) close() error { return p.root.Close() }

type parents struct{}

func (parents) close() {}

// move renames the temporary file base to name.
func (s *session) move(base, name string) error {
	return s.root.Rename(filepath.Join(s.temp, base), name)
}
