package source

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// openShards keeps the archives that are in use open, and a few more: tasks of one archive follow each other. The
// zero value is ready. Its methods may be called concurrently.
type openShards struct {
	mu   sync.Mutex
	open []*openShard // the one used last comes last
}

// openShard is an archive that some use, or used lately.
type openShard struct {
	*shard
	location, identity string
	users              int           // guarded by openShards.mu
	ready              chan struct{} // closed once shard or err is set
	err                error
}

// maxOpen is how many archives are open at a time, unless more are in use.
const maxOpen = 4

// acquire returns the archive e, opened. The caller releases it.
func (o *openShards) acquire(ctx context.Context, base Source, e *Entry) (*openShard, error) {
	o.mu.Lock()
	at := slices.IndexFunc(o.open, func(s *openShard) bool { return s.location == e.Location && s.identity == e.Identity })
	var s *openShard
	if at >= 0 {
		s = o.open[at]
		o.open = append(slices.Delete(o.open, at, at+1), s)
		s.users++
		o.mu.Unlock()
		select {
		case <-s.ready:
		case <-ctx.Done():
			o.release(s)
			return nil, context.Cause(ctx)
		}
	} else {
		s = &openShard{location: e.Location, identity: e.Identity, users: 1, ready: make(chan struct{})}
		o.open = append(o.open, s)
		o.mu.Unlock()
		s.shard, s.err = openArchive(ctx, base, e)
		close(s.ready)
	}
	if s.err != nil {
		o.mu.Lock()
		o.open = slices.DeleteFunc(o.open, func(other *openShard) bool { return other == s }) // another attempt may succeed
		o.mu.Unlock()
		return nil, s.err
	}
	return s, nil
}

// release ends a use, and closes archives that nobody has used for longest.
func (o *openShards) release(s *openShard) {
	o.mu.Lock()
	defer o.mu.Unlock()
	s.users--
	for i := 0; i < len(o.open) && len(o.open) > maxOpen; {
		if old := o.open[i]; old.users == 0 {
			_ = old.close() // it was only read
			o.open = slices.Delete(o.open, i, i+1)
			continue
		}
		i++
	}
}

// openArchive opens the archive e of base. What cannot be read at any place is copied to a temporary file, unpacked.
func openArchive(ctx context.Context, base Source, e *Entry) (*shard, error) {
	file, err := base.Open(ctx, *e)
	if err != nil {
		return nil, err
	}
	s := &shard{size: file.Size, close: file.Close}
	how := packingOf(e.Name)
	var direct bool
	if s.data, direct = file.Reader.(io.ReaderAt); !direct || how == tarGzip || how == tarZstd {
		s, err = unpack(how, file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
	}
	if how == zipped {
		s.openZip()
	}
	return s, nil
}

// An archive may unpack to unpackBase bytes, and to unpackRatio bytes for each of its own. Pictures seldom shrink to a
// hundredth; bombs do.
const (
	unpackBase  = 64 << 20
	unpackRatio = 250
)

// unpack copies an archive to a temporary file, without its compression. If the archive is damaged or too large, the
// copy ends there.
func unpack(how packing, file *File) (s *shard, err error) {
	temp, err := os.CreateTemp("", "imagefarm-shard-*")
	if err != nil {
		return nil, err
	}
	unnamed := os.Remove(temp.Name()) == nil // the file lives as long as it is open
	remove := func() error {
		err := temp.Close()
		if !unnamed {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, remove())
		}
	}()
	s = &shard{data: temp, close: remove}
	read := &remembering{r: file}
	var data io.Reader = read
	limit := file.Size
	switch how {
	case tarGzip, tarZstd:
		limit = unpackBase + unpackRatio*file.Size
		data, err = decompress(how, read)
		if err != nil {
			if read.err != nil {
				return nil, read.err
			}
			s.damage = s.damaged(err)
			return s, nil
		}
		if c, is := data.(io.Closer); is {
			defer c.Close()
		}
	}
	out := &remembering{w: temp}
	s.size, err = io.Copy(out, io.LimitReader(data, limit))
	switch {
	case out.err != nil:
		return nil, fmt.Errorf("cannot unpack an archive into %s: %w", os.TempDir(), out.err)
	case read.err != nil:
		return nil, read.err // the source's error
	case err != nil:
		s.damage = s.damaged(err)
	case s.size == limit && limit > file.Size:
		s.damage = outcome.Reject(outcome.TooLarge, "the archive of %d bytes unpacks to more than %d", file.Size, limit)
	}
	return s, nil
}

// maxWindow bounds the memory of a zstd decoder, bytes.
const maxWindow = 128 << 20

func decompress(how packing, r io.Reader) (io.Reader, error) {
	if how == tarGzip {
		return gzip.NewReader(bufio.NewReaderSize(r, 1<<18))
	}
	d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxWindow))
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// remembering remembers an error of a reader or writer, to tell it from errors of what uses it.
type remembering struct {
	r   io.Reader
	w   io.Writer
	err error
}

// Read implements io.Reader.
func (m *remembering) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		m.err = err
	}
	return n, err
}

// Write implements io.Writer.
func (m *remembering) Write(b []byte) (int, error) {
	n, err := m.w.Write(b)
	if err != nil {
		m.err = err
	}
	return n, err
}

// maxDirectory bounds the directory of a zip, bytes: it is held in memory.
const maxDirectory = 64 << 20

// zstdMethod is the number of zstd among the methods of a zip.
const zstdMethod = 93

// openZip reads the directory of a zip. Where a zip has none, since it is truncated, it makes one of the files' own
// headers.
func (s *shard) openZip() {
	s.zip = new(zip.Reader)
	if n := directorySize(s.data, s.size); n > maxDirectory && n <= uint64(s.size) {
		s.damage = outcome.Reject(outcome.TooLarge, "the directory of the archive has %d bytes, more than %d", n,
			maxDirectory)
		return
	}
	r, err := zip.NewReader(s.data, s.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		m, files, damage := mendZip(s.data, s.size)
		if s.damage = damage; files == 0 {
			return
		}
		if r, err = zip.NewReader(m, m.size+int64(len(m.tail))); err != nil && !errors.Is(err, zip.ErrInsecurePath) {
			return
		}
	}
	r.RegisterDecompressor(zstdMethod, zstd.ZipDecompressor(zstd.WithDecoderMaxMemory(maxWindow),
		zstd.WithDecoderConcurrency(1)))
	s.zip = r
}

// directorySize returns how large a zip says that its directory is; 0 if it does not say.
func directorySize(data io.ReaderAt, size int64) uint64 {
	tail := make([]byte, min(size, 1<<16+22))
	if _, err := data.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || at+22 > len(tail) {
		return 0
	}
	n := binary.LittleEndian.Uint32(tail[at+12:])
	if n != 1<<32-1 {
		return uint64(n)
	}
	if at < 20 || string(tail[at-20:at-16]) != "PK\x06\x07" { // where the 64-bit record is
		return 0
	}
	record := make([]byte, 56)
	if _, err := data.ReadAt(record, int64(binary.LittleEndian.Uint64(tail[at-12:]))); err != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(record[40:])
}
