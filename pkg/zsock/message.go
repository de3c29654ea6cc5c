package zsock

import "errors"

// Message is one ZeroMQ message: its frames. There is always at least one; any of them may be empty.
type Message [][]byte

// Size returns the number of bytes in all frames.
func (m Message) Size() int64 {
	var n int64
	for _, frame := range m {
		n += int64(len(frame))
	}
	return n
}

func (m Message) check() error {
	if len(m) == 0 {
		return errors.New("zsock: a message without frames cannot be sent")
	}
	return nil
}

// outgoing is one entry of a peer's send queue.
type outgoing struct {
	msg       Message
	size      int64
	addressed bool            // SendTo: must not go to another peer
	touched   bool            // some of its bytes were written before the transport failed
	internal  bool            // made by the socket (a subscription): neither counted nor reported
	missed    uint64          // >0: stands for Config.Missed(missed), made when it is written
	written   func(err error) // nil, or called exactly once, without locks
}
