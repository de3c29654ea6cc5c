package zsock

import "github.com/go-zeromq/zmq4"

// maxPingContext is how many bytes of context a PING may carry (ZMTP 3.1).
const maxPingContext = 16

// parseCommand splits a command's frame:
//
//	name-size (1)  name  body
func parseCommand(p []byte) (name string, body []byte, err error) {
	if len(p) == 0 || p[0] == 0 {
		return "", nil, protocolError("a command without a name")
	}
	n := int(p[0])
	if n > len(p)-1 {
		return "", nil, protocolError("a command of %d bytes with a name of %d", len(p), n)
	}
	return string(p[1 : 1+n]), p[1+n:], nil
}

// parsePing returns the context in the body of a PING:
//
//	time to live in tenths of a second (2)  context (0 to 16)
//
// The time to live is a hint. It is ignored: HeartbeatTimeout decides when a peer is dropped.
func parsePing(body []byte) (context []byte, err error) {
	if len(body) < 2 {
		return nil, protocolError("a PING of %d bytes", len(body))
	}
	if context = body[2:]; len(context) > maxPingContext {
		return nil, &LimitError{What: "bytes of a PING's context", Max: maxPingContext, Got: uint64(len(context))}
	}
	return context, nil
}

// parseSubscription returns the prefix in a message from a subscriber, whose first byte is 1 to subscribe and 0 to
// cancel. ok is false for any other message.
func parseSubscription(m Message) (prefix []byte, subscribe, ok bool) {
	if len(m) != 1 || len(m[0]) == 0 || m[0][0] > 1 {
		return nil, false, false
	}
	return m[0][1:], m[0][0] == 1, true
}

// handleCommand handles a command that came after the handshake. The peer's reader calls it.
func (p *peer) handleCommand(name string, body []byte) error {
	if err := p.keepPace(); err != nil {
		return err
	}
	switch name {
	case zmq4.CmdPing:
		context, err := parsePing(body)
		if err != nil {
			return err
		}
		p.pinged(context)
	case zmq4.CmdPong:
		p.ponged()
	case zmq4.CmdError:
		return protocolError("the peer reports an error: %s", quoteError(body))
	case zmq4.CmdSubscribe, zmq4.CmdCancel:
		if s, ok := p.socket.pattern.(subscribable); ok {
			return s.subscription(p, body, name == zmq4.CmdSubscribe)
		}
	}
	return nil // ZMTP: unknown commands are ignored
}

// subscribable is a pattern whose peers subscribe. body is valid only during the call; an error drops the peer.
type subscribable interface {
	subscription(p *peer, prefix []byte, subscribe bool) error
}
