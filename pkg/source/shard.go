package source

import (
	"archive/tar"
	"archive/zip"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zstd"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// shard is an open archive. Its methods may be called concurrently.
type shard struct {
	data   io.ReaderAt // a zip, or the unpacked tar
	size   int64       // bytes of data
	close  func() error
	zip    *zip.Reader        // nil: a tar
	damage *outcome.Rejection // why data ends early, or cannot be read at all; nil: it is whole
}

// each calls visit with each file, in the archive's order. It returns what is wrong with the rest of the archive, if
// anything is, and the error of visit or ctx's cause.
func (s *shard) each(ctx context.Context, visit func(found) error) (damage *outcome.Rejection, err error) {
	if s.zip != nil {
		return s.damage, s.eachZipped(ctx, visit)
	}
	data := io.NewSectionReader(s.data, 0, s.size)
	files := tar.NewReader(data) // it seeks over the files' bytes
	last, end := "", int64(0)    // of the files so far; −1: where they end is not known
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		h, err := files.Next()
		if errors.Is(err, tar.ErrInsecurePath) {
			err = nil // the name is judged like any other
		}
		if errors.Is(err, io.EOF) && (s.damage != nil || end < 0 || s.isMarked(end)) {
			return s.damage, nil
		}
		if errors.Is(err, io.EOF) { // cut off between two files
			return outcome.Reject(outcome.Truncated, "the archive ends early, behind %q: its end mark is missing", last), nil
		}
		if err != nil {
			return s.damaged(err), nil
		}
		at, err := data.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		last, end = h.Name, endOf(h, at)
		switch {
		case h.Typeflag == tar.TypeDir:
			continue
		case h.Typeflag != tar.TypeReg || isSparse(h):
			err = visit(found{name: h.Name, at: at, special: true})
		case h.Size > s.size-at:
			return s.damaged(fmt.Errorf("%q: %w", h.Name, io.ErrUnexpectedEOF)), nil
		default:
			err = visit(found{name: h.Name, at: at, size: h.Size})
		}
		if err != nil {
			return nil, err
		}
	}
}

// tarBlock is the size of the blocks of a tar, bytes.
const tarBlock = 512

// endOf returns where a file whose bytes begin at a place ends in a tar; −1: unknown.
func endOf(h *tar.Header, at int64) int64 {
	switch h.Typeflag {
	case tar.TypeDir, tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo:
		return at
	case tar.TypeReg:
		if !isSparse(h) {
			return at + (h.Size+tarBlock-1)/tarBlock*tarBlock
		}
	}
	return -1
}

// isMarked reports whether a tar has its end mark at a place: a block of zeros, after which whoever wrote it wrote
// nothing more.
func (s *shard) isMarked(at int64) bool {
	var block [tarBlock]byte
	n, _ := s.data.ReadAt(block[:], at)
	return n == tarBlock && block == [tarBlock]byte{}
}

// isSparse reports whether the bytes of a file in a tar are not in one piece.
func isSparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// damaged turns an error of reading the archive into the rejection of its rest.
func (s *shard) damaged(err error) *outcome.Rejection {
	switch {
	case s.damage != nil:
		return s.damage
	case errors.Is(err, io.ErrUnexpectedEOF):
		return outcome.Reject(outcome.Truncated, "the archive ends early, in %v", err)
	}
	return outcome.Reject(outcome.Corrupt, "the archive is damaged: %v", err)
}

func (s *shard) eachZipped(ctx context.Context, visit func(found) error) error {
	for i, f := range s.zip.File {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		is := found{name: f.Name, at: int64(i), size: int64(f.UncompressedSize64), special: !f.Mode().IsRegular()}
		switch {
		case f.Flags&1 != 0:
			is.refused = outcome.Reject(outcome.Unsupported, "the archive is encrypted")
		case is.size < 0:
			is.refused = outcome.Reject(outcome.TooLarge, "the archive says that it has %d bytes", f.UncompressedSize64)
		}
		if err := visit(is); err != nil {
			return err
		}
	}
	return nil
}

// file opens the file at a place as in member. It has size bytes.
func (s *shard) file(at, size int64) (io.ReadCloser, error) {
	if s.zip == nil {
		if at < 0 || size > s.size-at {
			return nil, ErrChanged
		}
		return io.NopCloser(io.NewSectionReader(s.data, at, size)), nil
	}
	if at < 0 || at >= int64(len(s.zip.File)) {
		return nil, ErrChanged
	}
	data, err := s.zip.File[at].Open()
	if err != nil {
		return nil, unzipped(err)
	}
	return &unzip{data, size}, nil
}

// unzip reads a file of a zip to the size that the archive tells, whatever its bytes unpack to. It checks the sum.
type unzip struct {
	io.ReadCloser
	left int64 // bytes
}

// Read implements io.Reader.
func (u *unzip) Read(b []byte) (int, error) {
	if u.left == 0 {
		return 0, io.EOF
	}
	n, err := u.ReadCloser.Read(b[:min(int64(len(b)), u.left)])
	if u.left -= int64(n); u.left == 0 && err == nil {
		_, err = io.ReadFull(u.ReadCloser, make([]byte, 1)) // the end, where the sum is compared
		if err == nil {
			err = zip.ErrFormat
		}
	}
	switch {
	case err == nil, errors.Is(err, io.EOF) && u.left == 0:
		return n, nil
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return 0, unzipped(err)
}

// unzipped turns an error of unpacking that the archive is to blame for into a rejection.
func unzipped(err error) error {
	var damage flate.CorruptInputError
	switch {
	case errors.Is(err, zip.ErrAlgorithm):
		return outcome.Reject(outcome.Unsupported, "it is packed in a way that is not supported")
	case errors.As(err, &damage), errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum),
		errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, zstd.ErrMagicMismatch):
		return outcome.Reject(outcome.Corrupt, "the archive is damaged there: %v", err)
	}
	return err
}
