package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// madeAhead is what opening a run's stores makes before the run knows whether it makes anything: directories and an
// empty ledger. A dry run and a run that is refused remove it again.
type madeAhead struct{ dirs []string } // that were missing, the deepest first

// noteMissing notes which of the directories for the outputs and the ledger are missing.
func noteMissing(out, ledgerPath string) madeAhead {
	var m madeAhead
	note := func(dir string) {
		for {
			if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
				return
			}
			m.dirs = append(m.dirs, dir)
			parent := filepath.Dir(dir)
			if parent == dir {
				return
			}
			dir = parent
		}
	}
	if !inBucket(out) {
		own := filepath.Join(placeOf(out), blob.OwnDir)
		if _, err := os.Lstat(own); errors.Is(err, fs.ErrNotExist) {
			m.dirs = append(m.dirs, filepath.Join(own, "tmp"), filepath.Join(own, "shards"))
		}
		note(own)
	}
	if ledgerPath != "" {
		note(ledgerPath + ".shards")
		note(filepath.Dir(ledgerPath))
	}
	return m
}

// remove closes the stores, and then removes what was made if the ledger is still empty. Directories with something in
// them stay.
func (m madeAhead) remove(entries *ledger.Ledger, closeStores func() error) error {
	removed, err := entries.RemoveIfUnused()
	if err = errors.Join(err, closeStores()); err != nil || !removed {
		return err
	}
	m.removeDirs()
	return nil
}

// removeDirs removes the directories that were missing, as far as they are empty.
func (m madeAhead) removeDirs() {
	for _, dir := range m.dirs {
		if info, err := os.Lstat(dir); err == nil && info.IsDir() {
			_ = os.Remove(dir) // it stays if somebody uses it
		}
	}
}
