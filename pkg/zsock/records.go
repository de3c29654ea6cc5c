package zsock

import (
	"encoding/binary"
	"net"
	"sync"
	"sync/atomic"
)

// recordChunk is how many bytes of TLS records are written in one system call, at most.
const recordChunk = 128 << 10

// chunks holds buffers of recordChunk bytes. A connection has one only while it writes a large message.
var chunks = sync.Pool{New: func() any { return new([recordChunk]byte) }}

// recordConn is the connection beneath TLS. crypto/tls writes each record, of 16 KiB at most, by a call of its own, and
// each may wake the other end; recordConn gathers the records of a message. When crypto/tls reads, it takes what there
// is; recordConn gives it whole records, so that it need not move the beginning of the next one in its buffer.
//
// One goroutine may write, or begin and end gathering, while another reads. crypto/tls may write beside both, such as
// an alert.
type recordConn struct {
	net.Conn
	heard atomic.Bool // the peer has sent something: a peer in its TLS handshake is not taken for a silent one

	mu        sync.Mutex // guards what follows, up to the reader's
	gathering bool
	out       *[recordChunk]byte // nil: nothing is gathered
	gathered  int                // bytes in out
	writeErr  error              // the first error, which every later write returns

	// The reader's: where it is in the stream of records.
	header [recordHeader]byte // of the current record
	have   int                // bytes of header that were read
	left   int                // bytes of the record after its header, once that is there
}

// Write writes records, at once or with those that follow them.
func (c *recordConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writeErr != nil {
		return 0, c.writeErr
	}
	if c.gathered+len(p) > recordChunk {
		if err := c.writeGathered(); err != nil {
			return 0, err
		}
	}
	if !c.gathering || len(p) > recordChunk {
		return c.writeNow(p)
	}
	if c.out == nil {
		c.out = chunks.Get().(*[recordChunk]byte)
	}
	c.gathered += copy(c.out[c.gathered:], p)
	return len(p), nil
}

func (c *recordConn) writeNow(p []byte) (n int, err error) {
	n, err = c.Conn.Write(p)
	c.writeErr = err
	return n, err
}

func (c *recordConn) writeGathered() error {
	if c.gathered == 0 {
		return nil
	}
	_, err := c.writeNow(c.out[:c.gathered])
	if err == nil {
		c.gathered = 0
	}
	return err
}

// gather has the records that follow gathered until flush.
func (c *recordConn) gather() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathering = true
}

// flush writes what was gathered, and ends gathering. After an error, lost is how many of the bytes that Write took may
// not have been written.
func (c *recordConn) flush() (lost int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathering = false
	if err = c.writeErr; err == nil {
		err = c.writeGathered()
	}
	lost, c.gathered = c.gathered, 0
	if c.out != nil {
		chunks.Put(c.out)
		c.out = nil
	}
	return lost, err
}

const (
	recordHeader  = 5        // bytes: type (1) version (2) length (2)
	recordPayload = 16 << 10 // bytes of application data in a full record
	// fullRecord is the size of a full record of TLS 1.3: header, data, type (1) and the cipher's tag (16).
	fullRecord = recordHeader + recordPayload + 1 + 16
)

// largeRecord is the rest of a record, in bytes, from which on a read ends with a record. Of smaller ones many are read
// by one call.
const largeRecord = 4 << 10

// Read reads up to the end of a large record and the header of the next one. Others like it follow a full record: those
// that p has room for are read by the same call.
func (c *recordConn) Read(p []byte) (int, error) {
	if c.have == recordHeader && c.left >= largeRecord {
		whole := c.left + recordHeader
		if recordHeader+c.length() == fullRecord {
			whole += max(0, len(p)-whole) / fullRecord * fullRecord
		}
		p = p[:min(len(p), whole)]
	}
	n, err := c.Conn.Read(p)
	c.follow(p[:n])
	if n > 0 && !c.heard.Load() {
		c.heard.Store(true)
	}
	return n, err
}

// length returns the bytes of the current record after its header, which is there.
func (c *recordConn) length() int { return int(binary.BigEndian.Uint16(c.header[3:])) }

// follow notes that p was read.
func (c *recordConn) follow(p []byte) {
	for len(p) > 0 {
		if c.have < recordHeader {
			n := copy(c.header[c.have:], p)
			if c.have, p = c.have+n, p[n:]; c.have < recordHeader {
				return
			}
			c.left = c.length()
		}
		body := min(c.left, len(p))
		if c.left, p = c.left-body, p[body:]; c.left == 0 { // of a record without a body, too: crypto/tls refuses it
			c.have = 0
		}
	}
}
