package blob

import (
	"context"
	"errors"
	"io"
	"os"
)

// errRead says that what was to be written could not be read; the store is not at fault.
var errRead = errors.New("the original cannot be read")

// sparsePiece is how much copySparse copies at once, bytes.
const sparsePiece = 64 << 10

// copySparse copies data to f until its end. Pieces that are all zeros become holes of f. readErr is an error of
// data or the context's cause; err is then errRead.
func copySparse(ctx context.Context, f *os.File, data io.Reader) (readErr, err error) {
	piece := make([]byte, sparsePiece)
	for size := int64(0); ; {
		if ctx.Err() != nil {
			return context.Cause(ctx), errRead
		}
		n, readErr := io.ReadFull(data, piece)
		if n > 0 && !allZero(piece[:n]) {
			if _, err := f.WriteAt(piece[:n], size); err != nil {
				return nil, err
			}
		}
		size += int64(n)
		switch {
		case errors.Is(readErr, io.EOF), errors.Is(readErr, io.ErrUnexpectedEOF):
			return nil, f.Truncate(size)
		case readErr != nil:
			return readErr, errRead
		}
	}
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
