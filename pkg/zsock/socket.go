package zsock

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// pattern is the behaviour of one kind of socket. All methods but receive are called with socket.mu held and must
// not block.
type pattern interface {
	// join is called when p comes. What join queues is written to p first.
	join(p *peer)
	// room returns nil if a message of that size may be read from p, and otherwise the signal after which to ask again.
	room(p *peer, size uint64) *signal
	// receive takes a message that p sent. An error drops p.
	receive(p *peer, m Message) error
	// written is called when something queued for p was written.
	written(p *peer)
	// leave is called when p is lost, with the messages that were not written completely. It returns those that go to
	// another peer or back to the application; the others are lost.
	leave(p *peer, lost []outgoing) (kept []outgoing)
}

// socket is what all kinds share: endpoints, peers and their lifetimes.
type socket struct {
	cfg     Config
	kind    zmq4.SocketType
	log     *slog.Logger
	pattern pattern
	flushes bool  // Close waits until what is queued has been written
	maxRecv int64 // bytes in the largest message of a peer; 0: messages are refused

	ctx    context.Context // ends when Close has flushed, and ends everything
	cancel context.CancelFunc
	ended  chan struct{} // closed when everything has ended
	wg     sync.WaitGroup

	mu         sync.Mutex
	peers      []*peer // in the order they came
	lastID     PeerID
	listeners  []net.Listener
	dialled    []*dialled
	handshakes []*handshake     // oldest first
	paces      map[string]*pace // by account
	closing    bool             // Close was called: nothing new is taken
	cutting    bool             // Close has flushed, or given up
	unsent     UnsentError

	receiving      receiving
	queuedBytes    int64     // in the send queues of all peers
	evictionWarned time.Time // when the log last said that peers are evicted or refused

	// Signals; each is broadcast when closing too.
	sendable signal // a peer came, left, or has less to send
	arrived  signal // the application can take something
}

func newSocket(cfg Config, kind zmq4.SocketType) (*socket, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &socket{cfg: cfg.withDefaults(), kind: kind, ended: make(chan struct{})}
	s.receiving.max = s.cfg.ReceivingBytes
	s.log = s.cfg.Network.Logger.With("socket", string(kind))
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Peers returns the peers that are connected now, in the order they came.
func (s *socket) Peers() []PeerInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	infos := make([]PeerInfo, len(s.peers))
	for i, p := range s.peers {
		infos[i] = p.info()
	}
	return infos
}

// lastedAfter is how long a connection must have been up before its loss is answered with a quick reconnect. A peer
// that accepts and closes at once, because it has no room, is asked less and less often.
const lastedAfter = time.Second

// run makes a peer of a connection, and returns when the peer is lost. lasted says that the peer sent a message or
// was up for lastedAfter. The error says why the connection never became a peer.
func (s *socket) run(conn net.Conn, endpoint string, h *handshake) (lasted bool, err error) {
	defer conn.Close()
	since := time.Now()
	remote := conn.RemoteAddr().String()
	refuse := func(err error) (bool, error) {
		s.log.Debug("peer refused", "endpoint", endpoint, "remote", remote, "err", err)
		s.tell(PeerEvent{Kind: PeerRefused, Err: err,
			Peer: PeerInfo{Endpoint: endpoint, Remote: remote, Since: since}})
		return false, err
	}
	link, zmtp, ready, err := s.shakeHands(conn, h)
	if err != nil {
		return refuse(err)
	}
	p := &peer{
		socket: s, identity: ready.identity, principal: ready.principal, endpoint: endpoint, remote: remote,
		since: time.Now(),
		link:  link, zmtp: zmtp, wake: make(chan struct{}, 1),
	}
	p.heartbeat.knows.Store(ready.heartbeat || link.minor > 0)
	p.ctx, p.cutCtx = context.WithCancelCause(context.Background())
	if secured, ok := conn.(*secureConn); ok {
		defer p.watchPrincipal(ready.certificate, secured.security.Check)()
	}
	if p.principal != ready.certificate { // a password proved it
		defer p.watchPrincipal(p.principal, s.cfg.Network.Passwords.Check)()
	}
	p.account = accountOf(conn, p.principal)
	link.startTraffic(s.maxRecv, s.cfg.MaxParts, s.cfg.Memory)
	link.onBytes, link.onCommand = p.touch, p.handleCommand
	link.onFrame = p.reserve
	if s.kind == zmq4.Pub || s.kind == zmq4.Rep {
		link.stallTimeout = max(s.cfg.StallTimeout, 0)
	}
	link.onMessage = func(size uint64) error {
		if err := p.keepPace(); err != nil {
			return err
		}
		return p.await(func() *signal { return s.pattern.room(p, size) })
	}
	if err := s.admit(p); err != nil {
		return refuse(err)
	}
	s.log.Debug("peer up", "peer", p.id, "endpoint", endpoint, "remote", remote, "identity", p.identity, "principal",
		p.principal.String())
	s.tellAbout(p, PeerUp, nil, nil)
	// Ping at once, so that the peer's silence means something from now on, but not a libzmq peer. One that sends and
	// closes within milliseconds would leave the PING unread, and its kernel would reset the connection and drop what
	// it sent.
	if s.cfg.Network.Heartbeat > 0 && ready.heartbeat {
		p.ping()
	}
	var writing sync.WaitGroup
	writing.Go(p.write)
	p.cut(p.read())
	writing.Wait()
	unsent := s.dismiss(p)
	s.log.Debug("peer down", "peer", p.id, "endpoint", endpoint, "remote", remote, "err", p.reason())
	s.tellAbout(p, PeerDown, p.reason(), unsent)
	return p.received.Load() > 0 || p.age() >= lastedAfter, nil
}

// admit adds p to the peers, unless there is no room.
func (s *socket) admit(p *peer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cutting {
		return ErrClosed
	}
	if err := s.makeRoom(p); err != nil {
		return err
	}
	s.lastID++
	p.id = s.lastID
	s.peers = append(s.peers, p)
	s.pattern.join(p)
	s.joinPace(p)
	s.sendable.broadcast()
	return nil
}

// dismiss removes p from the peers, fails the messages that were not written, and returns the messages of SendTo of
// which no byte was.
func (s *socket) dismiss(p *peer) (unsent []Message) {
	s.mu.Lock()
	s.peers = slices.DeleteFunc(s.peers, func(q *peer) bool { return q == p })
	lost := p.lost
	for p.queue.len() > 0 {
		lost = append(lost, p.queue.pop())
	}
	s.queuedBytes -= p.bytes
	p.msgs, p.bytes, p.lost = 0, 0, nil
	kept := s.pattern.leave(p, lost)
	s.leavePace(p)
	if s.cutting {
		s.countUnsent(lost)
	} else if len(kept) > 0 {
		s.log.Debug("unsent messages go to another peer", "peer", p.id, "messages", len(kept))
	}
	s.sendable.broadcast()
	s.arrived.broadcast()
	s.mu.Unlock()
	for _, o := range lost {
		if o.addressed && !o.touched {
			unsent = append(unsent, o.msg)
		}
		if o.written != nil {
			o.written(fmt.Errorf("%w: %w", ErrPeerLost, p.reason()))
		}
	}
	return unsent
}

func (s *socket) countUnsent(lost []outgoing) {
	for _, o := range lost {
		if s.flushes && !o.internal && o.missed == 0 {
			s.unsent.Messages++
			s.unsent.Bytes += o.size
		}
	}
}

func (s *socket) tell(e PeerEvent) {
	if s.cfg.OnPeer != nil {
		s.cfg.OnPeer(e)
	}
}

func (s *socket) tellAbout(p *peer, kind PeerEventKind, err error, unsent []Message) {
	if s.cfg.OnPeer == nil {
		return
	}
	s.mu.Lock()
	info := p.info()
	s.mu.Unlock()
	s.cfg.OnPeer(PeerEvent{Kind: kind, Peer: info, Err: err, Unsent: unsent})
}

// find returns the peer with that id, or nil. s.mu must be held.
func (s *socket) find(id PeerID) *peer {
	i, ok := slices.BinarySearchFunc(s.peers, id, func(p *peer, id PeerID) int {
		return int(int64(p.id) - int64(id))
	})
	if !ok || s.peers[i].gone() {
		return nil
	}
	return s.peers[i]
}

// waitError is the error of a call whose context ended: it says what the call waited for.
func waitError(ctx context.Context, what error) error {
	return fmt.Errorf("%w: %w", what, ctx.Err())
}

var errUnwanted = errors.New("zsock: this kind of peer must not send messages")

// passive implements pattern by doing nothing.
type passive struct{}

func (passive) join(*peer)                         {}
func (passive) room(*peer, uint64) *signal         { return nil }
func (passive) receive(*peer, Message) error       { return errUnwanted }
func (passive) written(*peer)                      {}
func (passive) leave(*peer, []outgoing) []outgoing { return nil }
