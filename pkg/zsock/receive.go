package zsock

// Memory is where received messages lie, so that their owner can have them received to where they are needed.
type Memory interface {
	// Buffer returns n bytes for a frame. Their contents do not matter.
	Buffer(n int) []byte
	// Release takes back a frame that nobody will get, since its peer was lost in the middle of its message.
	Release(frame []byte)
}

// OrdinaryMemory is the Memory of sockets that are given none: the garbage collector takes it back.
type OrdinaryMemory struct{}

func (OrdinaryMemory) Buffer(n int) []byte { return make([]byte, n) }
func (OrdinaryMemory) Release([]byte)      {}

// readMessage reads the next message, and handles the commands on its way. After an error reading never goes on.
func (l *link) readMessage() (Message, error) {
	var m Message
	for more := true; more; more = l.more {
		length, err := l.messageFrame()
		if err == nil {
			m = append(m, l.memory.Buffer(int(length)))
			err = l.readFull(m[len(m)-1])
		}
		if err != nil {
			for _, frame := range m {
				l.memory.Release(frame)
			}
			return nil, err
		}
		l.midway = l.more
	}
	return m, nil
}

// messageFrame reads up to the next frame of a message, checks its header and waits for room for the message.
func (l *link) messageFrame() (length uint64, err error) {
	for {
		flags, length, n, err := l.frameHeader()
		if err != nil {
			return 0, err
		}
		if flags&flagCommand == 0 {
			return length, l.takeHeader(flags, length, n)
		}
		if err := l.wholeCommand(flags, length, n); err != nil {
			return 0, err
		}
		command := l.buf[l.r+n : l.r+n+int(length)]
		l.r += n + int(length)
		l.midway = l.more
		if err := l.command(command); err != nil {
			return 0, err
		}
	}
}

// takeHeader checks the header of a message's frame, and takes it from the buffer.
func (l *link) takeHeader(flags byte, length uint64, n int) error {
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
	// The frame is allocated next. Who announces much must have sent something of it first.
	if err := l.fill(n + int(min(length, uint64(len(l.buf)-n)))); err != nil {
		return err
	}
	l.r += n
	return nil
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

// readFull fills p: with what is read already, and then, what is large, straight from the transport; what is small
// through the buffer, so that the frames behind it need no read of their own.
func (l *link) readFull(p []byte) error {
	for len(p) > 0 {
		if l.r == l.w && len(p) >= len(l.buf) {
			n, err := l.receive(p)
			if err != nil {
				return midwayError(err)
			}
			p = p[n:]
			continue
		}
		if err := l.fill(1); err != nil {
			return err
		}
		n := copy(p, l.buf[l.r:l.w])
		l.r += n
		p = p[n:]
	}
	return nil
}
