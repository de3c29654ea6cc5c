package zsock

import (
	"encoding/binary"
	"net"
)

// A frame's body of at most so many bytes is copied into one piece with the headers around it; a larger body is written
// from where it lies. A connection that takes several pieces in one call (writev) is spared more of the copying than a
// wrapped one, for which each piece is a call of its own and, when it encrypts, a record of its own.
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
		g.buf = append(g.buf, p...) // where it moves, earlier pieces keep the old array
		return
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

// writeMessage adds a message's frames. Nothing is written before flush, which must come before they change. zmq4 would
// allocate for each of them, and a PUB writes the same message for every subscriber.
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

// Write implements io.Writer for zmq4. Nothing is written before flush, which must come before p changes.
func (l *link) Write(p []byte) (int, error) {
	l.out.add(p)
	return len(p), nil
}

// flush writes what was gathered, and returns how much of it the transport took.
func (l *link) flush() (int64, error) {
	g := &l.out
	if g.total == 0 {
		return 0, nil
	}
	defer g.reset()
	if len(g.pieces) == 0 {
		n, err := l.Conn.Write(g.buf)
		return int64(n), err
	}
	g.closePiece()
	g.vector = g.pieces
	return g.vector.WriteTo(l.Conn)
}

// copyUpTo returns the largest body, in bytes, that is copied before it is written to conn.
func copyUpTo(conn net.Conn) int {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn, *pipeEnd: // a pipe's write costs no more for being in pieces
		return gatherCopy
	}
	return gatherCopyWrapped
}

// closeWrite tells the peer that nothing more will come, if the transport can.
func (l *link) closeWrite() error {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
