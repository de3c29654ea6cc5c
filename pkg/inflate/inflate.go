// Package inflate decompresses zlib and raw deflate streams (RFC 1950, RFC 1951) that lie in memory, in one piece or in
// several, to a window from which the caller reads without a copy. Package png and package tiff read rows through it.
//
// It is faster than compress/flate and klauspost/compress because it needs no io.Reader: it loads words of 64 bits,
// decodes several literals between two loads, and writes matches eight bytes at a time. It uses no unsafe code.
package inflate

import (
	"errors"
	"fmt"
)

// ErrTruncated is returned when the compressed data ends before the stream does.
var ErrTruncated = errors.New("inflate: the compressed data ends before its stream does")

// CorruptError is returned for a stream that no compressor writes.
type CorruptError struct {
	Reason string
}

func (e *CorruptError) Error() string { return "inflate: corrupt stream: " + e.Reason }

func corruptf(format string, args ...any) error {
	return &CorruptError{Reason: fmt.Sprintf(format, args...)}
}

// Framing tells what surrounds the deflate stream.
type Framing int

const (
	Zlib Framing = iota // a two-byte header, and the Adler-32 checksum at the end
	Raw                 // no header and no checksum
)

const (
	history   = 32 << 10 // how far back a match may reach
	batchSize = 64 << 10 // bytes that one call of produce makes, at least
	slack     = 320      // bytes that produce may write beyond its limit: a match, and the rest of a word
)

// Reader decompresses one stream after the other and keeps its memory between them. The zero value is not ready; call
// Reset first. A Reader is not safe for use by several goroutines at once.
type Reader struct {
	in      input
	framing Framing
	state   state
	final   bool // the current block is the stream's last
	left    int  // bytes that the current stored block still has
	err     error
	started bool // the zlib header was read
	sum     uint32
	summed  int // the end of what sum covers, in out

	out       []byte // history, unread data, free space
	from, end int    // range of out that was not yet read
	most      int    // the largest n that Next may be given

	lit  [litTableSize]uint32
	dist [distTableSize]uint32
}

type state int

const (
	inHeader state = iota // before a block
	inStored
	inCodes
	ended // after the last block
)

// Reset begins a stream. next returns the stream's pieces one after the other, and nil behind the last. most is the
// largest n that Next will be given; the Reader holds that many bytes and about 100 KB more.
func (r *Reader) Reset(framing Framing, most int, next func() []byte) {
	r.in.reset(next)
	r.framing, r.state, r.final, r.left, r.err, r.started = framing, inHeader, false, 0, nil, false
	r.sum, r.summed, r.from, r.end, r.most = 1, 0, 0, 0, most
	if need := history + max(batchSize, most) + slack; len(r.out) < need {
		r.out = make([]byte, need)
	}
}

// Next returns the next n bytes of the decompressed data; they are valid until the next call. Fewer than n come with
// an error: the stream's fault, or nil when the stream ended there.
func (r *Reader) Next(n int) ([]byte, error) {
	if n < 0 || n > r.most {
		return nil, fmt.Errorf("inflate: Next was asked for %d bytes, and Reset was told at most %d", n, r.most)
	}
	for r.end-r.from < n && r.err == nil && r.state != ended {
		r.slide()
		r.err = r.produce()
	}
	if have := r.end - r.from; have < n {
		p := r.out[r.from:r.end]
		r.from = r.end
		return p, r.err
	}
	p := r.out[r.from : r.from+n]
	r.from += n
	return p, nil
}

// Close reads what is left of the stream, at most limit bytes of decompressed data, and returns the stream's fault,
// a wrong checksum among them.
func (r *Reader) Close(limit int) error {
	for r.err == nil && r.state != ended && limit >= 0 {
		limit -= r.end - r.from
		r.from = r.end
		r.slide()
		r.err = r.produce()
	}
	return r.err
}

// slide moves the history and the unread data to the beginning of out, to make room.
func (r *Reader) slide() {
	drop := min(r.from, max(0, r.end-history))
	copy(r.out, r.out[drop:r.end])
	r.from, r.end, r.summed = r.from-drop, r.end-drop, r.summed-drop
}

// produce decompresses until out is full, the stream ends, or the stream proves corrupt.
func (r *Reader) produce() error {
	if !r.started {
		r.started = true
		if r.framing == Zlib {
			if err := r.zlibHeader(); err != nil {
				return err
			}
		}
	}
	limit := len(r.out) - slack
	var err error
	for err == nil && r.end < limit && r.state != ended {
		switch r.state {
		case inHeader:
			if r.final {
				err = r.finish()
				continue
			}
			err = r.blockHeader()
		case inStored:
			err = r.stored(limit)
		case inCodes:
			err = r.codes(limit)
		}
	}
	if r.framing == Zlib && r.summed < r.end {
		r.sum = updateAdler(r.sum, r.out[r.summed:r.end])
		r.summed = r.end
	}
	return err
}

func (r *Reader) zlibHeader() error {
	cmf, ok := r.in.take(8)
	flags, ok2 := r.in.take(8)
	switch {
	case !ok || !ok2:
		return ErrTruncated
	case cmf&15 != 8:
		return corruptf("compression method %d, not 8", cmf&15)
	case (cmf<<8|flags)%31 != 0:
		return corruptf("the zlib header's check fails")
	case flags&32 != 0:
		return corruptf("a preset dictionary is wanted")
	}
	return nil
}

// finish verifies the checksum that follows the last block.
func (r *Reader) finish() error {
	r.state = ended
	if r.framing == Raw {
		return nil
	}
	r.sum = updateAdler(r.sum, r.out[r.summed:r.end])
	r.summed = r.end
	r.in.align()
	var want uint32
	for range 4 {
		b, ok := r.in.take(8)
		if !ok {
			return ErrTruncated
		}
		want = want<<8 | uint32(b)
	}
	if want != r.sum {
		return corruptf("the Adler-32 checksum of the data is %08x, the stream says %08x", r.sum, want)
	}
	return nil
}

func (r *Reader) blockHeader() error {
	head, ok := r.in.take(3)
	if !ok {
		return ErrTruncated
	}
	r.final = head&1 != 0
	switch head >> 1 {
	case 0:
		r.in.align()
		size, ok := r.in.take(16)
		check, ok2 := r.in.take(16)
		if !ok || !ok2 {
			return ErrTruncated
		}
		if size != ^check&0xffff {
			return corruptf("a stored block's length %d disagrees with its complement", size)
		}
		r.left, r.state = int(size), inStored
	case 1:
		r.fixedTables()
		r.state = inCodes
	case 2:
		if err := r.dynamicTables(); err != nil {
			return err
		}
		r.state = inCodes
	default:
		return corruptf("block type 3")
	}
	return nil
}

func (r *Reader) stored(limit int) error {
	for r.left > 0 && r.end < limit {
		n := r.in.copyTo(r.out[r.end:min(limit, r.end+r.left)])
		if n == 0 {
			return ErrTruncated
		}
		r.end += n
		r.left -= n
	}
	if r.left == 0 {
		r.state = inHeader
	}
	return nil
}
