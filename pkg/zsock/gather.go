package zsock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// Bodies of at most this many bytes are copied next to the headers around them; a larger body is written from where
// it lies. A wrapped connection has no writev: each piece is a call of its own, or a record of its own inside TLS,
// whose records recordConn gathers. So more is copied for it, and of a larger body what fills up the record of the
// piece before it.
const (
	gatherCopy        = 8 << 10
	gatherCopyWrapped = 64 << 10
)

// gatherKeep is the largest buffer that is kept between two flushes, in bytes.
const gatherKeep = 256 << 10

// gather collects the headers and bodies to be written until they are flushed, in one system call where possible.
type gather struct {
	copyUpTo int // bytes: gatherCopy or gatherCopyWrapped

	pieces net.Buffers
	buf    []byte // small pieces, one after the other
	cut    int    // buf[cut:] is in no piece yet
	total  int64
	vector net.Buffers // what WriteTo consumes
}

func (g *gather) add(p []byte) {
	g.total += int64(len(p))
	if len(p) <= g.copyUpTo {
		g.buf = append(g.buf, p...) // if append moves buf, earlier pieces keep the old array
		return
	}
	if g.copyUpTo == gatherCopyWrapped {
		n := recordPayload - (len(g.buf)-g.cut)%recordPayload
		g.buf = append(g.buf, p[:n]...)
		p = p[n:]
	}
	g.closePiece()
	g.pieces = append(g.pieces, p)
}

func (g *gather) closePiece() {
	if g.cut < len(g.buf) {
		g.pieces = append(g.pieces, g.buf[g.cut:len(g.buf):len(g.buf)])
		g.cut = len(g.buf)
	}
}

func (g *gather) reset() {
	clear(g.pieces)
	g.pieces, g.vector = g.pieces[:0], nil
	if cap(g.buf) > gatherKeep {
		g.buf = nil
	}
	g.buf, g.cut, g.total = g.buf[:0], 0, 0
}

// writeMessage adds a message's frames, which must not change before flush writes them. zmq4 would allocate for each
// frame, and a PUB writes the same message for every subscriber.
func (l *link) writeMessage(m Message) {
	for i, frame := range m {
		var header [9]byte
		if i < len(m)-1 {
			header[0] = flagMore
		}
		n := 2
		if len(frame) > 255 {
			header[0] |= flagLong
			binary.BigEndian.PutUint64(header[1:], uint64(len(frame)))
			n = 9
		} else {
			header[1] = byte(len(frame))
		}
		l.out.add(header[:n])
		l.out.add(frame)
	}
}

// Write implements io.Writer for zmq4. It adds p, which must not change before flush writes it.
func (l *link) Write(p []byte) (int, error) {
	n := len(p)
	if l.sent > 0 { // of the greeting
		already := min(l.sent, len(p))
		p, l.sent = p[already:], l.sent-already
	}
	l.out.add(p)
	return n, nil
}

// flush writes what was gathered, and returns how much of it the transport took.
func (l *link) flush() (int64, error) {
	g := &l.out
	if g.total == 0 {
		return 0, nil
	}
	defer g.reset()
	g.closePiece()
	g.vector = g.pieces
	if l.stallTimeout == 0 {
		return l.writePieces()
	}
	return l.writeUnlessStalled()
}

// writePieces writes what is left of the gathered pieces.
func (l *link) writePieces() (int64, error) {
	g := &l.out
	if secured, ok := l.Conn.(*secureConn); ok {
		return secured.writePieces(&g.vector)
	}
	if len(g.vector) == 1 {
		n, err := l.Conn.Write(g.vector[0])
		g.vector[0] = g.vector[0][n:]
		return int64(n), err
	}
	return g.vector.WriteTo(l.Conn)
}

// writeUnlessStalled writes until the transport has taken nothing for stallTimeout. A wrapped connection cannot go
// on after a deadline, so there stallTimeout bounds the whole flush.
func (l *link) writeUnlessStalled() (int64, error) {
	var total int64
	for {
		if err := l.Conn.SetWriteDeadline(time.Now().Add(l.stallTimeout)); err != nil {
			return total, err
		}
		n, err := l.writePieces()
		total += n
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return total, err
		}
		if n == 0 || l.out.copyUpTo == gatherCopyWrapped {
			return total, fmt.Errorf("%w: %v", ErrStalled, l.stallTimeout)
		}
	}
}

// copyUpTo returns the largest body, in bytes, that is copied before it is written to conn.
func copyUpTo(conn net.Conn) int {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn, *pipeEnd: // a write to a pipe is no system call
		return gatherCopy
	}
	return gatherCopyWrapped
}

// closeWrite closes the writing half of the connection, if the transport can.
func (l *link) closeWrite() error {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
