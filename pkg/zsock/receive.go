package zsock

// Memory allocates received frames, so that the application can have them received to where it needs them.
type Memory interface {
	// Buffer returns n bytes for a frame. They need not be zero.
	Buffer(n int) []byte
	// Release takes back a frame that Recv will not return, because its peer was lost in the middle of the message.
	Release(frame []byte)
}

// OrdinaryMemory is the default Memory: the heap.
type OrdinaryMemory struct{}

func (OrdinaryMemory) Buffer(n int) []byte { return make([]byte, n) }
func (OrdinaryMemory) Release([]byte)      {}

// readMessage reads the next message and handles the commands before it. After an error every later call fails, too.
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

// messageFrame handles commands up to the next frame of a message, checks its header and waits for room for the
// message.
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

// takeHeader checks the header of a message's frame and removes it from the buffer.
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
	// The frame is allocated next: a peer that announces a large one must first have sent some of it.
	if err := l.fill(n + int(min(length, uint64(len(l.buf)-n)))); err != nil {
		return err
	}
	if l.size > readAhead && l.onFrame != nil {
		if err := l.onFrame(length); err != nil {
			return err
		}
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

// readFull fills p from the buffer and then from the transport: directly if much is missing, else through the
// buffer, so that the frames behind it need no read of their own.
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
