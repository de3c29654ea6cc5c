package source

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// A zip that is truncated has lost its directory. Each file in it also has a header of its own, from which a directory
// can be made again, as far as the headers tell the sizes of the files.

// Signatures and sizes of a zip, bytes.
const (
	localSignature     = "PK\x03\x04"
	directorySignature = "PK\x01\x02"
	endSignature       = "PK\x05\x06"
	localSize          = 30
	directoryEntrySize = 46
)

// mended is the beginning of a zip, with a directory behind it.
type mended struct {
	data io.ReaderAt
	size int64 // bytes of data that count
	tail []byte
}

// ReadAt implements io.ReaderAt.
func (m *mended) ReadAt(b []byte, at int64) (n int, err error) {
	if at < m.size {
		part := b[:min(int64(len(b)), m.size-at)]
		if n, err = m.data.ReadAt(part, at); n < len(part) {
			return n, err
		}
		if n == len(b) {
			return n, nil
		}
	}
	more, err := bytes.NewReader(m.tail).ReadAt(b[n:], at+int64(n)-m.size)
	return n + more, err
}

// mendZip makes a directory of the files at the beginning of a zip, one behind the other, whose headers tell their
// sizes. It stops at the first that is cut off, or whose size is written behind it. It searches for no signature: what
// looks like one may be the content of a file. It returns the number of files; damage says what is wrong with the rest.
func mendZip(data io.ReaderAt, size int64) (m *mended, files int, damage *outcome.Rejection) {
	damage = outcome.Reject(outcome.Truncated, "the archive has no directory at its end")
	m = &mended{data: data}
	last := 0 // length of the directory before the last file
	head := make([]byte, localSize)
	for files < maxMendedFiles && len(m.tail) < maxDirectory {
		n, _ := data.ReadAt(head, m.size)
		if n >= 4 && string(head[:4]) != localSignature && string(head[:4]) != directorySignature && files > 0 {
			// The size of the file before was wrong.
			m.tail, files = m.tail[:last], files-1
			damage = outcome.Reject(outcome.Corrupt, "the archive has no directory at its end, and a wrong header")
		}
		if n < localSize || string(head[:4]) != localSignature {
			break
		}
		next, entry := directoryEntry(data, head, m.size, size)
		if entry == nil {
			break
		}
		last, m.size = len(m.tail), next
		m.tail = append(m.tail, entry...)
		files++
	}
	end := make([]byte, 22)
	copy(end, endSignature)
	binary.LittleEndian.PutUint16(end[8:], uint16(files))
	binary.LittleEndian.PutUint16(end[10:], uint16(files))
	binary.LittleEndian.PutUint32(end[12:], uint32(len(m.tail)))
	binary.LittleEndian.PutUint32(end[16:], uint32(m.size))
	m.tail = append(m.tail, end...)
	return m, files, damage
}

// maxMended is how many files, and up to which offset, a directory of the plain form can list.
const (
	maxMendedFiles  = math.MaxUint16 - 1
	maxMendedOffset = math.MaxUint32 - 1
)

// directoryEntry returns the entry in a directory of the file whose header is at an offset, and where the file ends.
// The entry is nil if the header does not tell all that is needed, or the file is cut off.
func directoryEntry(data io.ReaderAt, head []byte, at, size int64) (next int64, entry []byte) {
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	const described = 1 << 3 // the sizes are behind the file
	packed, unpacked, name := u32(head[18:]), u32(head[22:]), int64(u16(head[26:]))
	begin := at + localSize + name + int64(u16(head[28:]))
	next = begin + int64(packed)
	if u16(head[6:])&described != 0 || packed == math.MaxUint32 || unpacked == math.MaxUint32 || name == 0 ||
		next > size || next > maxMendedOffset {
		return 0, nil
	}
	entry = make([]byte, directoryEntrySize+name)
	copy(entry, directorySignature)
	copy(entry[4:], head[4:6]) // made by the version that is needed
	copy(entry[6:], head[4:28])
	binary.LittleEndian.PutUint32(entry[42:], uint32(at))
	if _, err := data.ReadAt(entry[directoryEntrySize:], at+localSize); err != nil {
		return 0, nil
	}
	return next, entry
}
