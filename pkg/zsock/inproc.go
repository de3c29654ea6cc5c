package zsock

import (
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
)

const inprocBacklog = 128

// Inproc is the hub in which the inproc:// endpoints of one process meet. Sockets reach each other only through the
// same hub.
type Inproc struct {
	mu        sync.Mutex
	listeners map[string]*inprocListener
}

// NewInproc returns a hub without endpoints.
func NewInproc() *Inproc {
	return &Inproc{listeners: make(map[string]*inprocListener)}
}

func (n *Inproc) listen(_ context.Context, e endpoint, buffer int) (net.Listener, string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := e.address
	if n.listeners[name] != nil {
		return nil, "", syscall.EADDRINUSE
	}
	l := &inprocListener{
		space: n, name: name, buffer: buffer,
		backlog: make(chan net.Conn, inprocBacklog), done: make(chan struct{}),
	}
	n.listeners[name] = l
	return l, e.text, nil
}

// dial connects to the listener of that name. The listener chose how large the pipe's buffers are.
func (n *Inproc) dial(ctx context.Context, name string, _ int) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[name]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("zsock: dial inproc://%s: %w", name, syscall.ECONNREFUSED)
	}
	ours, theirs := newPipe(inprocAddr(name), l.buffer)
	l.mu.RLock() // so that Close cannot empty the backlog before the pipe is in it
	defer l.mu.RUnlock()
	select {
	case <-l.done:
	default:
		select {
		case l.backlog <- theirs:
			return ours, nil
		case <-l.done:
		case <-ctx.Done():
		}
	}
	_ = ours.Close()
	return nil, fmt.Errorf("zsock: dial inproc://%s: %w", name, syscall.ECONNREFUSED)
}

type inprocListener struct {
	space   *Inproc
	name    string
	buffer  int
	backlog chan net.Conn
	done    chan struct{}
	once    sync.Once
	mu      sync.RWMutex
}

func (l *inprocListener) Accept() (net.Conn, error) {
	select {
	case <-l.done:
		return nil, net.ErrClosed
	default:
	}
	select {
	case conn := <-l.backlog:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close frees the name and closes connections that were not accepted.
func (l *inprocListener) Close() error {
	l.once.Do(func() {
		close(l.done)
		l.space.mu.Lock()
		delete(l.space.listeners, l.name)
		l.space.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		for {
			select {
			case conn := <-l.backlog:
				_ = conn.Close()
			default:
				return
			}
		}
	})
	return nil
}

func (l *inprocListener) Addr() net.Addr { return inprocAddr(l.name) }

type inprocAddr string

func (inprocAddr) Network() string  { return "inproc" }
func (a inprocAddr) String() string { return "inproc://" + string(a) }
