package zsock

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Everything that depends on time runs here on inproc:// in testing/synctest, where time is virtual and exact.

// timed runs a test in a bubble, with a context for all of its calls and sockets that are closed before it ends.
type bubble struct {
	*testing.T
	cfg     Config
	sockets []closer
}

func inBubble(t *testing.T, test func(b *bubble)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{T: t, cfg: Config{Network: Network{Inproc: NewInproc()}}}
		defer func() { // not in Cleanup, which runs outside the bubble's time
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			for _, s := range b.sockets {
				_ = s.Close(ctx)
			}
		}()
		test(b)
	})
}

func newIn[S closer](b *bubble, open func(Config) (S, error), cfg Config) S {
	b.Helper()
	cfg.Network.Inproc = b.cfg.Network.Inproc
	s, err := open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.sockets = append(b.sockets, s)
	return s
}

// raw connects to an inproc endpoint and shakes hands by hand.
func (b *bubble) raw(name, kind string) *rawPeer {
	conn, err := b.cfg.Network.Inproc.dial(b.Context(), name, 0)
	if err != nil {
		b.Fatal(err)
	}
	p := &rawPeer{conn}
	p.say(b, greetingBytes("NULL"), commandFrame("READY", readyBody(kind)))
	p.hear(b, greetingSize)
	p.frame(b)
	b.sockets = append(b.sockets, closeFunc(conn.Close))
	return p
}

// serve answers every connection to an inproc endpoint by hand, one after another, and closes it.
func (b *bubble) serve(name string, answer func(net.Conn)) {
	b.Helper()
	l, _, err := b.cfg.Network.Inproc.listen(b.Context(), endpoint{address: name, text: "inproc://" + name}, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.sockets = append(b.sockets, closeFunc(l.Close))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			answer(conn)
			_ = conn.Close()
		}
	}()
}

type closeFunc func() error

func (f closeFunc) Close(context.Context) error { return f() }

func TestFarmOfSocketsInVirtualTime(t *testing.T) {
	inBubble(t, func(b *bubble) {
		push := newIn(b, NewPush, Config{})
		mustListen(b, push, "inproc://tasks")
		var workers sync.WaitGroup
		ctx, cancel := context.WithCancel(context.Background())
		start := time.Now()
		var done sync.WaitGroup
		done.Add(100)
		for range 4 {
			pull := newIn(b, NewPull, Config{RecvHWM: 1})
			mustDial(b, pull, "inproc://tasks")
			workers.Go(func() {
				for {
					if _, err := pull.Recv(ctx); err != nil {
						return
					}
					time.Sleep(time.Minute) // a slow transform: virtual
					done.Done()
				}
			})
		}
		synctest.Wait()
		for range 100 {
			if err := push.Send(ctx, text("task")); err != nil {
				b.Fatal(err)
			}
		}
		done.Wait()
		cancel()
		workers.Wait()
		if took := time.Since(start); took < 25*time.Minute || took > 60*time.Minute {
			b.Errorf("100 minutes' work of 4 workers took %v", took)
		}
	})
}

func TestPeerThatStopsAnsweringPingIsDropped(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pull := newIn(b, NewPull, Config{Network: Network{Heartbeat: time.Second, HeartbeatTimeout: 5 * time.Second},
			OnPeer: ev.on})
		mustListen(b, pull, "inproc://s")
		p := b.raw("s", "PUSH")
		p.say(b, commandFrame("PING", []byte{0, 0})) // so it understands PING
		start := time.Now()
		down := ev.wait(b, PeerDown)
		if took := time.Since(start); took != 5*time.Second || !errors.Is(down.Err, ErrSilent) {
			b.Errorf("dropped after %v: %v", took, down.Err)
		}
		if name, _ := p.command(b); name != "PONG" {
			b.Errorf("%s instead of PONG", name)
		}
		if name, _ := p.command(b); name != "PING" {
			b.Errorf("%s instead of PING", name)
		}
	})
}

func TestZsockIsSentAPingAtOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{Network: Network{Heartbeat: time.Hour}})
		mustListen(b, pull, "inproc://s")
		conn, err := b.cfg.Network.Inproc.dial(b.Context(), "s", 0)
		if err != nil {
			b.Fatal(err)
		}
		p := &rawPeer{conn}
		defer p.Close()
		p.say(b, greetingBytes("NULL"), commandFrame("READY", appendProperty(readyBody("PUSH"), propertyHeartbeat, "1")))
		p.hear(b, greetingSize)
		p.frame(b)
		if name, body := p.command(b); name != "PING" || len(body) != 2 {
			b.Errorf("%s %q", name, body)
		}
	})
}

// A libzmq that sends and closes at once would have that PING unread, and its kernel would reset the connection.
func TestLibzmqIsSentAPingOnlyWhenItIsSilent(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{Network: Network{Heartbeat: time.Minute}})
		mustListen(b, pull, "inproc://s")
		conn, err := b.cfg.Network.Inproc.dial(b.Context(), "s", 0)
		if err != nil {
			b.Fatal(err)
		}
		p := &rawPeer{conn}
		defer p.Close()
		p.say(b, withByte(greetingBytes("NULL"), 11, 1), commandFrame("READY", readyBody("PUSH"))) // ZMTP 3.1
		p.hear(b, greetingSize)
		p.frame(b)
		_ = p.SetReadDeadline(time.Now().Add(30 * time.Second))
		if n, err := p.Read(make([]byte, 1)); n > 0 {
			b.Errorf("it was sent something at once, %v", err)
		}
		time.Sleep(time.Minute)
		if name, _ := p.command(b); name != "PING" {
			b.Errorf("%s after silence", name)
		}
	})
}

func TestPeerThatNeverAnsweredPingMayBeSilent(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{Network: Network{Heartbeat: time.Second}})
		mustListen(b, pull, "inproc://s")
		p := b.raw("s", "PUSH")
		time.Sleep(time.Hour)
		p.say(b, frameBytes(0, []byte("still here")))
		if m, err := pull.Recv(testContext(b)); err != nil || string(m[0]) != "still here" {
			b.Fatal(m, err)
		}
		_ = p.SetReadDeadline(time.Now()) // and it was not bothered with PINGs that it might not know
		if n, err := p.Read(make([]byte, 1)); n > 0 {
			b.Errorf("it was sent something (%v)", err)
		}
	})
}

func TestPeerThatStopsWithinAMessageIsDropped(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pull := newIn(b, NewPull, Config{Network: Network{Heartbeat: time.Second, HeartbeatTimeout: 4 * time.Second},
			OnPeer: ev.on})
		mustListen(b, pull, "inproc://s")
		b.raw("s", "PUSH").say(b, longHeader(0, 1000), make([]byte, 10))
		start := time.Now()
		if down := ev.wait(b, PeerDown); !errors.Is(down.Err, ErrSilent) || time.Since(start) != 4*time.Second {
			b.Errorf("dropped after %v: %v", time.Since(start), down.Err)
		}
	})
}

func TestIdlePeersStayForDays(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		push := newIn(b, NewPush, Config{Network: Network{Heartbeat: time.Minute}, OnPeer: ev.on})
		mustListen(b, push, "inproc://s")
		pull := newIn(b, NewPull, Config{Network: Network{Heartbeat: 3 * time.Minute}})
		mustDial(b, pull, "inproc://s")
		ev.wait(b, PeerUp)
		time.Sleep(72 * time.Hour)
		synctest.Wait()
		if len(ev.ch) > 0 {
			b.Errorf("event %+v", <-ev.ch)
		}
	})
}

// Both peers of a full queue stay: the one that does not read says that it lives, and its peer's silence is its own
// doing.
func TestFullPeerIsNotTakenForDead(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cfg := Config{Network: Network{Heartbeat: time.Second, HeartbeatTimeout: 3 * time.Second}, RecvHWM: 1, SendHWM: 5}
		pushed, pulled := newEvents(), newEvents()
		cfg.OnPeer = pushed.on
		push := newIn(b, NewPush, cfg)
		mustListen(b, push, "inproc://s")
		cfg.OnPeer = pulled.on
		pull := newIn(b, NewPull, cfg)
		mustDial(b, pull, "inproc://s")
		body := make([]byte, 100<<10)
		n := 0
		for {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			err := push.Send(ctx, Message{body})
			cancel()
			if err != nil {
				break
			}
			n++
		}
		time.Sleep(time.Hour)
		for range n {
			if _, err := pull.Recv(testContext(b)); err != nil {
				b.Fatal(err)
			}
		}
		for _, ev := range []*events{pushed, pulled} {
			ev.wait(b, PeerUp)
			if len(ev.ch) > 0 {
				b.Errorf("event %+v", <-ev.ch)
			}
		}
	})
}

func TestSilentHandshakeEndsInTime(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pull := newIn(b, NewPull, Config{OnPeer: ev.on, HandshakeTimeout: 7 * time.Second})
		mustListen(b, pull, "inproc://s")
		conn, err := b.cfg.Network.Inproc.dial(b.Context(), "s", 0)
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		ev.wait(b, PeerRefused)
		if took := time.Since(start); took != 7*time.Second {
			b.Errorf("after %v", took)
		}
		_ = conn.Close()
	})
}

// Found: a thousand connections that had sent one byte of a greeting kept others out for seconds. Each new one had sent
// nothing yet, and so was waited for to make room.
func TestCrowdOfBegunHandshakesMakesRoomAtOnce(t *testing.T) {
	for name, begun := range map[string]func(i int) bool{
		"silent": func(int) bool { return false },
		"begun":  func(int) bool { return true },
		"both":   func(i int) bool { return i%2 > 0 },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				const crowd = 1000
				pull := newIn(b, NewPull, Config{})
				mustListen(b, pull, "inproc://in")
				began := time.Now()
				for i := range crowd {
					go func() {
						conn, err := b.cfg.Network.Inproc.dial(b.Context(), "in", 0)
						if err != nil {
							b.Error(err)
							return
						}
						defer conn.Close()
						if begun(i) {
							_, _ = conn.Write([]byte{0xFF})
						}
						_, _ = conn.Read(make([]byte, 2*greetingSize))
						_, _ = conn.Read(make([]byte, 1)) // until it is closed
					}()
				}
				synctest.Wait()
				push := newIn(b, NewPush, Config{})
				mustDial(b, push, "inproc://in")
				if err := push.Send(b.Context(), text("served")); err != nil {
					b.Fatal(err)
				}
				if m, err := pull.Recv(b.Context()); err != nil || string(m[0]) != "served" {
					b.Fatal(m, err)
				}
				if took, most := time.Since(began), (crowd/128+2)*handshakeGrace; took > most {
					b.Errorf("a peer got in after %v, not within %v", took, most)
				}
			})
		})
	}
}
