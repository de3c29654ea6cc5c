package zsock

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const pipeBuffer = 64 << 10 // bytes each way, by default

// newPipe returns the two ends of a connection in memory. Unlike net.Pipe it is buffered, because both sides of ZMTP
// write before they read. Bytes written before an end was closed can still be read from the other. All waiting is on
// channels and timers, so that pipes work inside testing/synctest.
func newPipe(addr net.Addr, buffer int) (a, b net.Conn) {
	if buffer == 0 {
		buffer = pipeBuffer
	}
	there, back := &stream{size: buffer}, &stream{size: buffer}
	return &pipeEnd{in: back, out: there, addr: addr}, &pipeEnd{in: there, out: back, addr: addr}
}

// stream is one direction of a pipe.
type stream struct {
	size int // of ring

	mu      sync.Mutex
	ring    []byte // made when first written to
	head, n int
	// The rest of a write that did not fit the ring; the reader copies it from where it lies; nil: none
	lent          []byte
	ended         bool // the writer is done: EOF follows what is buffered
	gone          bool // the reader is gone
	readDeadline  deadline
	writeDeadline deadline
	changed       signal
}

func (s *stream) read(p []byte, closed *bool) (int, error) {
	for {
		s.mu.Lock()
		switch {
		case *closed:
			s.mu.Unlock()
			return 0, net.ErrClosed
		case s.readDeadline.passed:
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case s.n+len(s.lent) > 0 || len(p) == 0:
			n := s.take(p)
			s.changed.broadcast()
			s.mu.Unlock()
			return n, nil
		case s.ended:
			s.mu.Unlock()
			return 0, io.EOF
		}
		changed := s.changed.wait()
		s.mu.Unlock()
		<-changed
	}
}

// write returns when the ring or the reader has taken all of p.
func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lent := false
	defer func() {
		if lent {
			n = len(p) - len(s.lent)
			s.lent = nil
			s.changed.broadcast() // for other writers
		}
	}()
	for {
		switch {
		case lent && len(s.lent) == 0:
			return 0, nil
		case s.ended:
			return 0, net.ErrClosed
		case s.gone:
			return 0, syscall.EPIPE
		case s.writeDeadline.passed:
			return 0, os.ErrDeadlineExceeded
		case s.lent != nil: // this write, or another one, waits for the reader
		default:
			fits := min(len(p), s.size-s.n)
			s.put(p[:fits])
			s.lent, lent = p[fits:], true
			s.changed.broadcast()
			continue
		}
		changed := s.changed.wait()
		s.mu.Unlock()
		<-changed
		s.mu.Lock()
	}
}

func (s *stream) take(p []byte) int {
	total := 0
	for len(p) > 0 && s.n > 0 {
		k := copy(p, s.ring[s.head:min(s.head+s.n, len(s.ring))])
		s.head = (s.head + k) % len(s.ring)
		s.n -= k
		total += k
		p = p[k:]
	}
	k := copy(p, s.lent)
	s.lent = s.lent[k:]
	return total + k
}

// put appends p to the ring, which must have room.
func (s *stream) put(p []byte) {
	if s.ring == nil && len(p) > 0 {
		s.ring = make([]byte, s.size)
	}
	for len(p) > 0 {
		tail := (s.head + s.n) % len(s.ring)
		k := copy(s.ring[tail:min(tail+len(s.ring)-s.n, len(s.ring))], p)
		s.n += k
		p = p[k:]
	}
}

// deadline is a point in time after which reads or writes of a stream fail; the stream's mutex guards it.
type deadline struct {
	passed bool
	timer  *time.Timer
	turn   int // tells an old timer that fires late from the current one
}

func (s *stream) setDeadline(d *deadline, t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.turn++
	turn := d.turn
	left := time.Until(t)
	if d.passed = !t.IsZero() && left <= 0; d.passed {
		s.changed.broadcast()
	}
	if t.IsZero() || d.passed {
		return
	}
	d.timer = time.AfterFunc(left, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d.turn == turn {
			d.passed = true
			s.changed.broadcast()
		}
	})
}

// pipeEnd is one end of a pipe.
type pipeEnd struct {
	in, out *stream
	addr    net.Addr
	closed  bool // guarded by in.mu
}

var _ net.Conn = (*pipeEnd)(nil)

func (e *pipeEnd) Read(p []byte) (int, error)  { return e.in.read(p, &e.closed) }
func (e *pipeEnd) Write(p []byte) (int, error) { return e.out.write(p) }

// CloseWrite makes the other end read EOF after what was written.
func (e *pipeEnd) CloseWrite() error {
	e.out.mu.Lock()
	defer e.out.mu.Unlock()
	e.out.ended = true
	e.out.changed.broadcast()
	return nil
}

func (e *pipeEnd) Close() error {
	_ = e.CloseWrite()
	e.in.setDeadline(&e.in.readDeadline, time.Time{}) // no timer outlives the pipe
	e.out.setDeadline(&e.out.writeDeadline, time.Time{})
	e.in.mu.Lock()
	defer e.in.mu.Unlock()
	e.closed, e.in.gone = true, true
	e.in.changed.broadcast()
	return nil
}

func (e *pipeEnd) LocalAddr() net.Addr  { return e.addr }
func (e *pipeEnd) RemoteAddr() net.Addr { return e.addr }

func (e *pipeEnd) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

func (e *pipeEnd) SetReadDeadline(t time.Time) error {
	e.in.setDeadline(&e.in.readDeadline, t)
	return nil
}

func (e *pipeEnd) SetWriteDeadline(t time.Time) error {
	e.out.setDeadline(&e.out.writeDeadline, t)
	return nil
}
