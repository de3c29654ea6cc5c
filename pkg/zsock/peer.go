package zsock

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

// PeerID names a connection to a peer. A socket never uses it again, not even for the same peer reconnected.
type PeerID uint64

// PeerInfo describes a peer of a socket.
type PeerInfo struct {
	ID          PeerID
	Identity    string    // the ZMTP identity that the peer claims, unchecked
	Principal   Principal // whom its certificate names; zero: it has none
	Endpoint    string    // the endpoint that led to it, as given to Dial or bound by Listen
	Remote      string    // its address
	Since       time.Time
	LastSeen    time.Time // when bytes last came from it
	Queued      int       // messages not yet handed to the transport
	QueuedBytes int64
	Sent        uint64 // messages handed to the transport
	Received    uint64 // messages
	Missed      uint64 // messages that a Pub did not queue for it
}

// PeerEventKind says what happened to a peer.
type PeerEventKind int

// The kinds of event. Each connection has a PeerUp and later a PeerDown, or one PeerRefused.
const (
	PeerUp      PeerEventKind = iota + 1 // messages can be sent to it; none has been received yet
	PeerDown                             // it is lost; Recv may still return messages that it sent
	PeerRefused                          // its handshake failed, or there was no room
)

func (k PeerEventKind) String() string {
	switch k {
	case PeerUp:
		return "up"
	case PeerDown:
		return "down"
	case PeerRefused:
		return "refused"
	}
	return fmt.Sprintf("PeerEventKind(%d)", int(k))
}

// PeerEvent is what Config.OnPeer gets.
type PeerEvent struct {
	Kind PeerEventKind
	Peer PeerInfo // PeerRefused: only Endpoint, Remote and Since
	Err  error    // why it was lost or refused; ErrClosed if the socket was closed
	// Unsent are the messages of SendTo of which no byte was written, oldest first. Only for PeerDown of a Push.
	Unsent []Message
}

// peer is a connection after its handshake. Its goroutine run reads, and another one writes.
type peer struct {
	socket    *socket
	id        PeerID
	identity  string
	principal Principal // of its certificate or its password; zero: none
	account   string    // whom its share of the limits is charged to; empty: nobody
	pace      *pace     // of its account; nil: it may send as much as it likes
	endpoint  string
	remote    string
	since     time.Time
	link      *link
	zmtp      *zmq4.Conn      // writes commands
	ctx       context.Context // ends when the peer is cut, with the reason as its cause
	cutCtx    context.CancelCauseFunc
	wake      chan struct{} // capacity 1: the writer has something to do
	seen      atomic.Int64  // nanoseconds after since
	active    atomic.Int64  // when a message last went either way, in nanoseconds after since
	sent      atomic.Uint64
	received  atomic.Uint64
	heartbeat heartbeat
	pause     atomic.Int64 // Pull: how long the next messages wait altogether, in nanoseconds

	// Guarded by socket.mu.
	queue     fifo[outgoing]
	msgs      int   // in queue or being written
	bytes     int64 // in queue or being written
	pings     int   // PINGs to send: 0 or 1
	pongs     [][]byte
	finishing bool            // the writer ends when the queue is empty
	lost      []outgoing      // what the writer could not write, oldest first
	inbox     fifo[Message]   // Pull, Sub: received and not yet taken
	waiting   bool            // Pull, Sub: the reader waits for room
	turn      signal          // the reader may look whether there is room
	busy      bool            // Req: a request is under way; Rep: one is being served
	reply     chan Message    // Req: where the reply goes
	topics    map[string]bool // Pub: what it subscribed to
	topicSize int             // Pub: bytes in topics
	missed    uint64          // Pub: missed and not yet told
	missedAll uint64          // Pub: missed in all
	stamp     uint64          // Pub: the publication that was last queued for it

	// Guarded by socket.mu too; see receiving.
	reserved    int64         // bytes
	windowStart time.Duration // after since
	windowBytes uint64        // link.arrived at windowStart
}

// info returns a snapshot. socket.mu must be held.
func (p *peer) info() PeerInfo {
	return PeerInfo{
		ID: p.id, Identity: p.identity, Principal: p.principal, Endpoint: p.endpoint, Remote: p.remote,
		Since: p.since, LastSeen: p.since.Add(time.Duration(p.seen.Load())),
		Queued: p.msgs, QueuedBytes: p.bytes,
		Sent: p.sent.Load(), Received: p.received.Load(), Missed: p.missedAll,
	}
}

// cut ends the peer for the given reason, unless it was cut before.
func (p *peer) cut(reason error) {
	p.cutCtx(reason)
	_ = p.link.Close()
}

// gone reports whether the peer has been cut.
func (p *peer) gone() bool { return p.ctx.Err() != nil }

// full reports whether a message of so many bytes would exceed the high-water marks. socket.mu must be held.
func (p *peer) full(size int64) bool {
	cfg := &p.socket.cfg
	return p.msgs >= cfg.SendHWM || p.msgs > 0 && p.bytes+size > cfg.SendBytes
}

// enqueue adds to the send queue and wakes the writer. socket.mu must be held.
func (p *peer) enqueue(o outgoing) {
	p.add(o)
	p.wakeWriter()
}

// add adds to the send queue without waking the writer. socket.mu must be held.
func (p *peer) add(o outgoing) {
	p.queue.push(o)
	p.msgs++
	p.bytes += o.size
	p.socket.queuedBytes += o.size
}

func (p *peer) wakeWriter() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// read reads messages until the peer is lost, and returns why it was.
func (p *peer) read() error {
	if p.socket.cfg.Network.Heartbeat > 0 {
		p.link.onTick = p.beat
		if err := p.link.tick(); err != nil {
			return err
		}
	}
	defer p.unreserve()
	for {
		msg, err := p.link.readMessage()
		if err != nil {
			return err
		}
		p.received.Add(1)
		if p.socket.kind != zmq4.Pub { // a subscription is no message
			p.active.Store(int64(p.age()))
		}
		if err := p.socket.pattern.receive(p, msg); err != nil {
			return err
		}
		if p.link.size > readAhead {
			p.unreserve()
		}
	}
}

// reason returns why the peer was cut.
func (p *peer) reason() error {
	if err := context.Cause(p.ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return ErrPeerLost
}
