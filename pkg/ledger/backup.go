package ledger

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.etcd.io/bbolt"
)

// Backup writes a copy of the ledger, as the last transaction left it, to a new file at path, and returns its size in
// bytes. It may be called while others read and write: they do not wait, and what they add meanwhile is not in the
// copy. The copy appears whole or not at all. The error is fs.ErrExist when something is at path already.
func (l *Ledger) Backup(ctx context.Context, path string) (size int64, err error) {
	if _, err := os.Lstat(path); err == nil {
		return 0, fmt.Errorf("cannot back up the ledger to %s: %w; name another file", path, fs.ErrExist)
	}
	sweepCreated(path)
	temp := path + newSuffix + strings.ToLower(rand.Text())
	file, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, fmt.Errorf("cannot back up the ledger to %s: %w", path, cause(err))
	}
	defer os.Remove(temp) // after linking, its second name
	err = l.view(func(tx *bbolt.Tx) (err error) {
		buffered := bufio.NewWriterSize(&cancellable{ctx, file}, 1<<20)
		size, err = tx.WriteTo(buffered)
		return errors.Join(err, buffered.Flush())
	})
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = publish(temp, path)
	}
	if err != nil {
		return 0, fmt.Errorf("cannot back up the ledger to %s: %w", path, err)
	}
	return size, nil
}

// publish gives the file temp the name path, durably, unless that name is taken.
func publish(temp, path string) error {
	err := os.Link(temp, path)
	if err != nil && !errors.Is(err, fs.ErrExist) { // a file system without links
		err = os.Rename(temp, path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// cancellable is a writer that fails once ctx has ended.
type cancellable struct {
	ctx context.Context
	to  io.Writer
}

// Write implements io.Writer.
func (w *cancellable) Write(b []byte) (int, error) {
	if w.ctx.Err() != nil {
		return 0, context.Cause(w.ctx)
	}
	return w.to.Write(b)
}
