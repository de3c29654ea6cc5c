//go:build unix

package chaos

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy is a bad network between the workers and the rest: it delays, cuts what it passes into odd pieces, and resets.
type proxy struct {
	target string
	l      net.Listener
	delay  atomic.Int64 // nanoseconds before each piece

	mu    sync.Mutex
	rng   *rand.Rand
	conns map[net.Conn]net.Conn
	wg    sync.WaitGroup
}

func newProxy(target string, seed uint64) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{target: target, l: l, rng: rand.New(rand.NewPCG(seed, 1)), conns: make(map[net.Conn]net.Conn)}
	p.wg.Go(p.serve)
	return p, nil
}

func (p *proxy) addr() string { return "tcp://" + p.l.Addr().String() }

func (p *proxy) serve() {
	for {
		in, err := p.l.Accept()
		if err != nil {
			return
		}
		out, err := net.DialTimeout("tcp", p.target, time.Second)
		if err != nil {
			in.Close()
			continue
		}
		p.mu.Lock()
		p.conns[in] = out
		p.mu.Unlock()
		var both sync.WaitGroup
		both.Go(func() { p.pass(in, out) })
		both.Go(func() { p.pass(out, in) })
		p.wg.Go(func() {
			both.Wait()
			p.mu.Lock()
			delete(p.conns, in)
			p.mu.Unlock()
		})
	}
}

// pass copies in pieces of random size, so that frames arrive halved.
func (p *proxy) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		p.mu.Lock()
		size := 1 + p.rng.IntN(len(buf))
		p.mu.Unlock()
		n, err := from.Read(buf[:size])
		if n > 0 {
			if d := p.delay.Load(); d > 0 {
				time.Sleep(time.Duration(d)) // the network is slow, nothing is waited for
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return
			}
			return
		}
	}
}

// reset cuts connections: one at random, or all.
func (p *proxy) reset(all bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for in, out := range p.conns {
		for _, c := range []net.Conn{in, out} {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // an RST, not an orderly end
			}
			c.Close()
		}
		if n++; !all {
			break
		}
	}
	return n
}

func (p *proxy) close() {
	p.l.Close()
	p.reset(true)
	p.wg.Wait()
}
