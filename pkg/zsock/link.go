package zsock

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// The bits of a ZMTP frame's flags byte.
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

const (
	greetingSize = 64
	maxCommand   = 4 << 10  // bytes in a command, READY included
	readAhead    = 32 << 10 // bytes of the read buffer for a peer that sends messages
	// The read buffer during the handshake and for peers that send only commands: one whole command fits.
	readAheadSmall = maxCommand + 9
)

// stage says how far the conversation with a link's peer has come.
type stage int

const (
	stageGreeting  stage = iota // its 64 bytes are checked as they come and passed to zmq4
	stageHandshake              // frames must be commands, and are passed to zmq4
	stageTraffic                // readMessage reads; zmq4 no longer does
)

// link is a net.Conn between zmq4 and a transport. During the handshake it checks each frame header before zmq4 sees
// it, because zmq4 allocates what a header announces. Afterwards readMessage reads from it without zmq4, which would
// allocate every frame (receive.go). Writes are gathered until flush (gather.go). One goroutine may read while
// another writes.
type link struct {
	net.Conn
	out gather

	memory     Memory
	maxMessage uint64 // bytes; 0: messages are refused
	maxParts   int

	// The reader calls all of these, and readMessage alone all but onBytes.
	onCommand func(name string, body []byte) error
	onMessage func(size uint64) error       // a message begins; blocks while there is no room for it
	onFrame   func(size uint64) error       // a large frame is allocated next; blocks while there is no memory
	onBytes   func()                        // bytes arrived
	onTick    func() (time.Duration, error) // nothing arrived for as long as the last call returned; nil: never called

	plain     bool // the peer may choose PLAIN; otherwise it must be NULL
	mechanism byte // the first letter of the one that it chose
	sent      int  // bytes of our greeting sent before zmq4 writes it

	stage   stage
	minor   byte // of the peer's ZMTP version
	passed  int  // bytes of the greeting passed on
	buf     []byte
	r, w    int // buf[r:w] is read and not yet passed on
	header  [9]byte
	hr, hw  int    // handshake: header[hr:hw] is checked and not yet passed on
	body    uint64 // handshake: bytes of the current frame not yet passed on
	more    bool   // the current message has further frames
	parts   int    // frames of the current message so far
	size    uint64 // bytes of the current message so far
	midway  bool   // in the middle of a frame or message
	readErr error  // the first error, which every later read returns

	arrived      atomic.Uint64 // bytes read from the transport
	stallTimeout time.Duration // how long the transport may take nothing while there is something to write; 0: for ever
}

func newLink(conn net.Conn) *link {
	return &link{Conn: conn, out: gather{copyUpTo: copyUpTo(conn)}, buf: make([]byte, readAheadSmall)}
}

// startTraffic ends the handshake. It must be called before the first message is read.
func (l *link) startTraffic(maxMessage int64, maxParts int, memory Memory) {
	l.stage, l.memory = stageTraffic, memory
	l.maxMessage, l.maxParts = uint64(maxMessage), maxParts
	if maxMessage > readAheadSmall {
		buf := make([]byte, readAhead)
		l.w = copy(buf, l.buf[l.r:l.w])
		l.buf, l.r = buf, 0
	}
}

// Read implements io.Reader for zmq4. During the handshake zmq4 reads the greeting, then 2 bytes of a header, 7 more
// if the frame is long, and the body.
func (l *link) Read(p []byte) (int, error) {
	if l.readErr != nil {
		return 0, l.readErr
	}
	n, err := l.read(p)
	if err != nil {
		l.readErr = err
	}
	return n, err
}

func (l *link) read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := l.flush(); err != nil { // zmq4 waits for the answer to what it wrote, so that must be on its way
		return 0, err
	}
	if l.stage == stageGreeting {
		return l.readGreeting(p)
	}
	if l.hr == l.hw && l.body == 0 {
		n, length, err := l.commandFrame()
		if err != nil {
			return 0, err
		}
		l.hr, l.hw = 0, copy(l.header[:], l.buf[l.r:l.r+n])
		l.r += n
		l.body = length
	}
	if l.hr < l.hw {
		n := copy(p, l.header[l.hr:l.hw])
		l.hr += n
		return n, nil
	}
	n := copy(p, l.buf[l.r:l.r+int(l.body)]) // commandFrame has read all of it
	l.r += n
	l.body -= uint64(n)
	return n, nil
}

func (l *link) readGreeting(p []byte) (int, error) {
	if err := l.fill(1); err != nil {
		return 0, err
	}
	n := copy(p, l.buf[l.r:min(l.w, l.r+greetingSize-l.passed)])
	for i, b := range l.buf[l.r : l.r+n] {
		if err := l.checkGreeting(l.passed+i, b); err != nil {
			return 0, err
		}
		if l.passed+i == 11 {
			l.minor = b
		}
	}
	l.r += n
	if l.passed += n; l.passed == greetingSize {
		l.stage = stageHandshake
		l.midway = false
	}
	return n, nil
}

// tlsHandshake is the type of the first record of a TLS connection.
const tlsHandshake = 0x16

// checkGreeting checks the byte b at position i of
//
//	signature (10: 0xFF, 8 × any, 0x7F) version (2) mechanism (20: its name, zeros) as-server (1) filler (31)
//
// as soon as it comes, so that another protocol is recognised at its first byte.
func (l *link) checkGreeting(i int, b byte) error {
	mechanism := mechanismNull
	if i == 12 {
		l.mechanism = b
	}
	if i >= 12 && l.plain && l.mechanism == mechanismPlain[0] {
		mechanism = mechanismPlain
	}
	switch {
	case i == 0 && b == tlsHandshake:
		return protocolError("the peer speaks TLS, this side does not: give --tls")
	case i == 0 && b != 0xFF, i == 9 && b != 0x7F:
		return protocolError("byte %d of the greeting is %#02x: not a ZeroMQ peer", i, b)
	case i == 10 && b < 3:
		return protocolError("the peer speaks ZMTP %d; version 3 is needed", b)
	case i >= 12 && i < 12+len(mechanism) && b != mechanism[i-12],
		i >= 12+len(mechanism) && i < 32 && b != 0:
		return protocolError("the peer's security mechanism is not %s", mechanism)
	case i == 32 && b > 1:
		return protocolError("the peer's as-server flag is %#02x", b)
	}
	return nil
}

// frameHeader reads the next frame's header, which has n bytes, and leaves it in the buffer.
func (l *link) frameHeader() (flags byte, length uint64, n int, err error) {
	if err := l.fill(2); err != nil {
		return 0, 0, 0, err
	}
	flags, length, n = l.buf[l.r], uint64(l.buf[l.r+1]), 2
	if flags&^(flagMore|flagLong|flagCommand) != 0 {
		return 0, 0, 0, protocolError("frame flags %#02x", flags)
	}
	if flags&flagLong != 0 {
		l.midway = true
		if err := l.fill(9); err != nil {
			return 0, 0, 0, err
		}
		length, n = binary.BigEndian.Uint64(l.buf[l.r+1:]), 9
	}
	return flags, length, n, nil
}

// wholeCommand reads the rest of a command whose header is in the buffer.
func (l *link) wholeCommand(flags byte, length uint64, n int) error {
	if flags&flagMore != 0 {
		return protocolError("a command of several frames")
	}
	if length > maxCommand {
		return &LimitError{What: "bytes in a command", Max: maxCommand, Got: length}
	}
	l.midway = true
	return l.fill(n + int(length))
}

// commandFrame reads a frame of the handshake, which must be a command. It leaves the n bytes of its header and its
// body in the buffer.
func (l *link) commandFrame() (n int, length uint64, err error) {
	flags, length, n, err := l.frameHeader()
	if err != nil {
		return 0, 0, err
	}
	if flags&flagCommand == 0 {
		return 0, 0, protocolError("a message before READY")
	}
	if err := l.wholeCommand(flags, length, n); err != nil {
		return 0, 0, err
	}
	l.midway = false
	return n, length, nil
}

// fill reads until buf[r:w] has at least n bytes, which must not be more than buf holds.
func (l *link) fill(n int) error {
	if l.w-l.r >= n {
		return nil
	}
	if l.r == l.w {
		l.r, l.w = 0, 0
	} else if len(l.buf)-l.r < n {
		l.w = copy(l.buf, l.buf[l.r:l.w])
		l.r = 0
	}
	for l.w-l.r < n {
		k, err := l.receive(l.buf[l.w:])
		l.w += k
		if err == nil || l.w-l.r >= n {
			continue
		}
		if l.w > l.r || l.midway {
			err = midwayError(err)
		}
		return err
	}
	return nil
}

// midwayError returns what err means in the middle of a frame or message.
func midwayError(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// receive reads from the transport. When the read deadline passes, onTick decides whether it goes on.
func (l *link) receive(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if n > 0 {
			l.arrived.Add(uint64(n))
			if l.onBytes != nil {
				l.onBytes()
			}
			return n, nil
		}
		if err == nil {
			continue
		}
		if l.onTick == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return 0, err
		}
		if err := l.tick(); err != nil {
			return 0, err
		}
	}
}

// tick calls onTick and sets the read deadline to the time of the next call.
func (l *link) tick() error {
	next, err := l.onTick()
	if err != nil {
		return err
	}
	return l.Conn.SetReadDeadline(time.Now().Add(next))
}
