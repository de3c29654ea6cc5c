package zsock

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/go-zeromq/zmq4"
)

// Rep answers its REQ peers.
type Rep struct {
	*socket
	passive
	requests fifo[request]
}

// request is a received request without an answer. Its peer is busy until the answer is written.
type request struct {
	from     *peer
	envelope Message // the frames up to and including the empty one; goes back with the reply
	body     Message
}

// NewRep returns a REP socket without endpoints.
func NewRep(cfg Config) (*Rep, error) {
	s, err := newSocket(cfg, zmq4.Rep)
	if err != nil {
		return nil, err
	}
	r := &Rep{socket: s}
	s.pattern, s.maxRecv, s.flushes = r, s.cfg.MaxMessage, true
	return r, nil
}

// Serve answers every request with what handler returns, until ctx ends (the error is the context's) or the socket
// is closed (ErrClosed). Handlers run concurrently, one for each peer: a peer's next request is read when the last
// reply was written. A handler's context ends with ctx and when its peer is lost. If the handler panics or returns a
// message without frames, the peer is dropped. All handlers have returned when Serve returns.
func (s *Rep) Serve(ctx context.Context, handler func(ctx context.Context, req Message) Message) error {
	ctx, cancel := context.WithCancel(ctx)
	var handlers sync.WaitGroup
	defer handlers.Wait()
	defer cancel()
	for {
		s.mu.Lock()
		if s.closing {
			s.mu.Unlock()
			return ErrClosed
		}
		if s.requests.len() > 0 {
			r := s.requests.pop()
			s.mu.Unlock()
			handlers.Go(func() { s.answer(ctx, r, handler) })
			continue
		}
		arrived := s.arrived.wait()
		s.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

type goneKey struct{}

// GoneOf returns a channel that is closed when the connection of the peer ends whose request a handler of Rep.Serve
// answers. It is nil elsewhere.
func GoneOf(ctx context.Context) <-chan struct{} {
	gone, _ := ctx.Value(goneKey{}).(<-chan struct{})
	return gone
}

type accountKey struct{}

// AccountOf returns to whom the limits of the peer are charged whose request a handler of Rep.Serve answers: its
// certificate, its token or its address. It is empty over ipc and inproc.
func AccountOf(ctx context.Context) string {
	account, _ := ctx.Value(accountKey{}).(string)
	return account
}

var errNoReply = errors.New("zsock: the request was not answered")

func (s *Rep) answer(ctx context.Context, r request, handler func(context.Context, Message) Message) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx = context.WithValue(ctx, accountKey{}, r.from.account)
	ctx = context.WithValue(ctx, goneKey{}, r.from.ctx.Done())
	if r.from.principal.Role != "" {
		ctx = WithPrincipal(ctx, r.from.principal)
	}
	defer context.AfterFunc(r.from.ctx, cancel)()
	defer func() {
		if v := recover(); v != nil { // one request must not end the service for all peers
			s.log.Error("panic in a request's handler", "peer", r.from.id, "panic", v, "stack", string(debug.Stack()))
			r.from.cut(fmt.Errorf("%w: panic: %v", errNoReply, v))
		}
	}()
	reply := handler(ctx, r.body)
	if len(reply) == 0 {
		r.from.cut(errNoReply)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.from.gone() {
		return
	}
	frames := append(r.envelope[:len(r.envelope):len(r.envelope)], reply...)
	r.from.enqueue(outgoing{msg: frames, size: frames.Size(), written: func(error) { s.release(r.from) }})
}

// release lets the peer's next request be read.
func (s *Rep) release(p *peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.busy = false
	p.turn.broadcast()
}

func (s *Rep) room(p *peer, _ uint64) *signal {
	if p.busy {
		return &p.turn
	}
	return nil
}

func (s *Rep) receive(p *peer, m Message) error {
	for i, frame := range m {
		if len(frame) > 0 {
			continue
		}
		if i+1 == len(m) {
			break
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		p.busy = true
		s.requests.push(request{from: p, envelope: m[:i+1], body: m[i+1:]})
		s.arrived.broadcast()
		return nil
	}
	return protocolError("a request without a body after an empty frame")
}
