package zsock

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
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
	readAhead    = 32 << 10 // bytes of the read buffer of a peer that sends messages
	// The read buffer while shaking hands, and of peers that send nothing but commands: one whole command fits.
	readAheadSmall = maxCommand + 9
)

// stage is how far a link's peer has come.
type stage int

const (
	stageGreeting  stage = iota // its 64 bytes are passed on, and checked as they come
	stageHandshake              // frames must be commands, and are passed on
	stageTraffic                // messages are passed on, commands are swallowed
)

// link is a net.Conn between zmq4 and a transport. Reading, it parses frame headers as they pass and fails instead of
// letting a header through that breaks a limit, since zmq4 allocates what a header announces. Writing, it gathers until
// flush (gather.go). One goroutine may read while another writes.
type link struct {
	net.Conn
	out gather

	maxMessage uint64 // bytes; 0: no messages are taken at all
	maxParts   int

	// For stageTraffic; all are called by the reader.
	onCommand func(name string, body []byte) error
	onMessage func(size uint64) error       // a message begins: blocks while there is no room for it
	onBytes   func()                        // something arrived
	onTick    func() (time.Duration, error) // nothing arrived for as long as the last call said; nil: never

	stage   stage
	minor   byte // of the peer's ZMTP version
	passed  int  // bytes of the greeting that went through
	buf     []byte
	r, w    int // buf[r:w] is read and not yet passed on
	header  [9]byte
	hr, hw  int    // header[hr:hw] is checked and not yet passed on
	body    uint64 // bytes of the current frame not yet passed on
	more    bool   // the current message has further frames
	parts   int    // frames of the current message so far
	size    uint64 // bytes of the current message so far
	midway  bool   // in the middle of a frame or message
	readErr error  // the first error; reading never goes on after it
}

func newLink(conn net.Conn) *link {
	return &link{Conn: conn, buf: make([]byte, readAheadSmall)}
}

// startTraffic ends the handshake. It must be called before the first message is read.
func (l *link) startTraffic(maxMessage int64, maxParts int) {
	l.stage = stageTraffic
	l.maxMessage, l.maxParts = uint64(maxMessage), maxParts
	if maxMessage > readAheadSmall {
		buf := make([]byte, readAhead)
		l.w = copy(buf, l.buf[l.r:l.w])
		l.buf, l.r = buf, 0
	}
}

// Read implements io.Reader for zmq4, which asks for a header's 2 bytes, 7 more if the frame is long, and the body.
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
	if l.stage != stageTraffic { // zmq4 writes and reads by turns, so what was written must be on its way
		if _, err := l.flush(); err != nil {
			return 0, err
		}
	}
	if l.stage == stageGreeting {
		return l.readGreeting(p)
	}
	if l.hr == l.hw && l.body == 0 {
		if err := l.nextFrame(); err != nil {
			return 0, err
		}
	}
	if l.hr < l.hw {
		n := copy(p, l.header[l.hr:l.hw])
		l.hr += n
		return n, nil
	}
	if uint64(len(p)) > l.body {
		p = p[:l.body]
	}
	n, err := l.readSome(p)
	l.body -= uint64(n)
	if l.body == 0 {
		l.midway = l.more
	}
	return n, err
}

func (l *link) readGreeting(p []byte) (int, error) {
	if err := l.fill(1); err != nil {
		return 0, err
	}
	n := copy(p, l.buf[l.r:min(l.w, l.r+greetingSize-l.passed)])
	for i, b := range l.buf[l.r : l.r+n] {
		if err := checkGreeting(l.passed+i, b); err != nil {
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

// checkGreeting checks the byte b at position i of
//
//	signature (10: 0xFF, 8 × any, 0x7F) version (2) mechanism (20: "NULL", zeros) as-server (1) filler (31)
//
// as soon as it comes, so that who speaks something else is told apart at its first byte.
func checkGreeting(i int, b byte) error {
	const mechanism = "NULL"
	switch {
	case i == 0 && b != 0xFF, i == 9 && b != 0x7F:
		return protocolError("byte %d of the greeting is %#02x: not a ZeroMQ peer", i, b)
	case i == 10 && b < 3:
		return protocolError("the peer speaks ZMTP %d; version 3 is needed", b)
	case i >= 12 && i < 12+len(mechanism) && b != mechanism[i-12],
		i >= 12+len(mechanism) && i < 32 && b != 0:
		return protocolError("the peer's security mechanism is not NULL")
	case i == 32 && b > 1:
		return protocolError("the peer's as-server flag is %#02x", b)
	}
	return nil
}

// nextFrame reads up to the next header that is to be passed on, and handles the commands on its way.
func (l *link) nextFrame() error {
	for {
		if err := l.fill(2); err != nil {
			return err
		}
		flags := l.buf[l.r]
		length, n := uint64(l.buf[l.r+1]), 2
		if flags&^(flagMore|flagLong|flagCommand) != 0 {
			return protocolError("frame flags %#02x", flags)
		}
		if flags&flagLong != 0 {
			l.midway = true
			if err := l.fill(9); err != nil {
				return err
			}
			length, n = binary.BigEndian.Uint64(l.buf[l.r+1:]), 9
		}
		if flags&flagCommand == 0 {
			return l.messageFrame(flags, length, n)
		}
		if flags&flagMore != 0 {
			return protocolError("a command of several frames")
		}
		if length > maxCommand {
			return &LimitError{What: "bytes in a command", Max: maxCommand, Got: length}
		}
		l.midway = true
		if err := l.fill(n + int(length)); err != nil {
			return err
		}
		if l.stage != stageTraffic {
			l.more = false
			l.pass(n, length)
			return nil
		}
		command := l.buf[l.r+n : l.r+n+int(length)]
		l.r += n + int(length)
		l.midway = l.more
		if err := l.command(command); err != nil {
			return err
		}
	}
}

// messageFrame checks the header of a message's frame, waits for room, and passes the header on.
func (l *link) messageFrame(flags byte, length uint64, n int) error {
	if l.stage != stageTraffic {
		return protocolError("a message before READY")
	}
	if l.maxMessage == 0 {
		return protocolError("a message to a socket that takes none")
	}
	if !l.more {
		l.parts, l.size = 0, 0
	}
	if length > l.maxMessage-l.size {
		got := l.size + length
		if got < length { // it wrapped around
			got = length
		}
		return &LimitError{What: "bytes in a message", Max: l.maxMessage, Got: got}
	}
	if l.parts++; l.parts > l.maxParts {
		return &LimitError{What: "parts of a message", Max: uint64(l.maxParts), Got: uint64(l.parts)}
	}
	if !l.more && l.onMessage != nil {
		if err := l.onMessage(length); err != nil {
			return err
		}
	}
	l.size += length
	l.more = flags&flagMore != 0
	l.midway = true
	// zmq4 allocates the body next. Who announces much must have sent something of it first.
	if err := l.fill(n + int(min(length, uint64(len(l.buf)-n)))); err != nil {
		return err
	}
	l.pass(n, length)
	if length == 0 {
		l.midway = l.more
	}
	return nil
}

// pass lets the n bytes of the header at the front of buf through, and the body after it.
func (l *link) pass(n int, length uint64) {
	l.hr, l.hw = 0, copy(l.header[:], l.buf[l.r:l.r+n])
	l.r += n
	l.body = length
}

func (l *link) command(p []byte) error {
	name, body, err := parseCommand(p)
	if err != nil {
		return err
	}
	if l.onCommand == nil {
		return nil
	}
	return l.onCommand(name, body)
}

// readSome reads into p, through the buffer if p is small, so that the frames behind it need no read of their own.
func (l *link) readSome(p []byte) (int, error) {
	if l.r == l.w {
		if len(p) >= len(l.buf) {
			return l.receive(p)
		}
		if err := l.fill(1); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.buf[l.r:l.w])
	l.r += n
	return n, nil
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
		if errors.Is(err, io.EOF) && (l.w > l.r || l.midway) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// receive reads from the transport. When the read deadline passes it asks onTick whether to go on.
func (l *link) receive(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if n > 0 {
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

// tick calls onTick and sets the read deadline to when it wants to be called next.
func (l *link) tick() error {
	next, err := l.onTick()
	if err != nil {
		return err
	}
	return l.Conn.SetReadDeadline(time.Now().Add(next))
}
