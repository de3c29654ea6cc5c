package source

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"hash/crc32"
	"io"
	"math"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// A zip that is truncated has lost its directory. Each file in it also has a header of its own, from which a directory
// can be made again. A program that writes to a pipe cannot tell a file's sizes in its header, and writes them behind
// the file, in a descriptor. Where a deflated file ends is found out by unpacking it.

// Signatures and sizes of a zip, bytes.
const (
	localSignature      = "PK\x03\x04"
	directorySignature  = "PK\x01\x02"
	descriptorSignature = "PK\x07\x08"
	endSignature        = "PK\x05\x06"
	localSize           = 30
	directoryEntrySize  = 46
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
// sizes, or that end where their packed content does. It stops at the first that is cut off, and at one that is not
// packed and whose size is written behind it. It searches for no signature: what looks like one may be the content of a
// file. It unpacks at most as much as an archive may hold. It returns the number of files; damage says what is wrong
// with the rest.
func mendZip(data io.ReaderAt, size int64) (m *mended, files int, damage *outcome.Rejection) {
	damage = outcome.Reject(outcome.Truncated, "the archive has no directory at its end")
	m = &mended{data: data}
	last := 0 // length of the directory before the last file
	budget := unpackBase + unpackRatio*size
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
		next, entry := directoryEntry(data, head, m.size, size, &budget)
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

// Fields of headers.
const (
	flagDescribed   = 1 << 3 // the sizes are behind the file
	flagEncrypted   = 1
	methodDeflated  = 8
	descriptorSize  = 12 // checksum and two sizes of 4 bytes each, without the signature
	descriptorSize2 = 20 // with sizes of 8 bytes
)

// directoryEntry returns the entry in a directory of the file whose header is at an offset, and where the file ends.
// The entry is nil if the file is cut off, or its end cannot be told. budget is how many bytes may be unpacked.
func directoryEntry(data io.ReaderAt, head []byte, at, size int64, budget *int64) (next int64, entry []byte) {
	u16, u32 := binary.LittleEndian.Uint16, binary.LittleEndian.Uint32
	sum, packed, unpacked, name := u32(head[14:]), int64(u32(head[18:])), int64(u32(head[22:])), int64(u16(head[26:]))
	begin := at + localSize + name + int64(u16(head[28:]))
	next = begin + packed
	flags := u16(head[6:])
	if flags&flagDescribed != 0 {
		if u16(head[8:]) != methodDeflated || flags&flagEncrypted != 0 {
			return 0, nil
		}
		var whole bool
		if sum, packed, unpacked, next, whole = describe(data, begin, size, budget); !whole {
			return 0, nil
		}
	}
	if packed >= math.MaxUint32 || unpacked >= math.MaxUint32 || name == 0 || next > size || next > maxMendedOffset {
		return 0, nil
	}
	entry = make([]byte, directoryEntrySize+name)
	copy(entry, directorySignature)
	copy(entry[4:], head[4:6]) // made by the version that is needed
	copy(entry[6:], head[4:28])
	binary.LittleEndian.PutUint16(entry[8:], flags&^flagDescribed)
	binary.LittleEndian.PutUint32(entry[16:], sum)
	binary.LittleEndian.PutUint32(entry[20:], uint32(packed))
	binary.LittleEndian.PutUint32(entry[24:], uint32(unpacked))
	binary.LittleEndian.PutUint32(entry[42:], uint32(at))
	if _, err := data.ReadAt(entry[directoryEntrySize:], at+localSize); err != nil {
		return 0, nil
	}
	return next, entry
}

// describe unpacks the deflated file that begins at an offset, and compares it with the descriptor behind it. It
// returns what the descriptor says, and where it ends; whole is false if they differ or are cut off.
func describe(
	data io.ReaderAt, begin, size int64, budget *int64,
) (sum uint32, packed, unpacked, next int64, whole bool) {
	in := &countedBytes{r: bufio.NewReaderSize(io.NewSectionReader(data, begin, size-begin), 1<<16)}
	out := crc32.NewIEEE()
	content := flate.NewReader(in)
	defer content.Close()
	unpacked, err := io.Copy(out, io.LimitReader(content, *budget))
	if *budget -= unpacked; err != nil || *budget <= 0 {
		return 0, 0, 0, 0, false
	}
	sum, packed = out.Sum32(), in.n
	behind := make([]byte, len(descriptorSignature)+descriptorSize2)
	n, _ := data.ReadAt(behind, begin+packed)
	behind = behind[:n]
	next = begin + packed
	if bytes.HasPrefix(behind, []byte(descriptorSignature)) {
		behind = behind[len(descriptorSignature):]
		next += int64(len(descriptorSignature))
	}
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	switch {
	case len(behind) < descriptorSize || u32(behind) != sum:
		return 0, 0, 0, 0, false
	case u32(behind[4:]) == uint32(packed) && u32(behind[8:]) == uint32(unpacked):
		next += descriptorSize
	case len(behind) >= descriptorSize2 && u64(behind[4:]) == uint64(packed) && u64(behind[12:]) == uint64(unpacked):
		next += descriptorSize2
	default:
		return 0, 0, 0, 0, false
	}
	return sum, packed, unpacked, next, true
}

// countedBytes counts the bytes that are read. It is an io.ByteReader, so that package flate reads none in advance.
type countedBytes struct {
	r *bufio.Reader
	n int64
}

// Read implements io.Reader.
func (c *countedBytes) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// ReadByte implements io.ByteReader.
func (c *countedBytes) ReadByte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}
