//go:build !linux

package isolate

import (
	"errors"
	"os"
)

// region would be memory that parent and children share. This system has none without a name in the file system, so
// images and outputs go through the pipes.
type region struct {
	mem []byte
}

func newRegion(string, int64) (*region, error) { return nil, errors.ErrUnsupported }

func (r *region) trim(int64, int64) {}

func (r *region) close() {}

func sharedFiles(*region, *region) []*os.File { return nil }

func mapShared(uint64, uint64) ([]byte, []byte, error) { return nil, nil, errors.ErrUnsupported }
