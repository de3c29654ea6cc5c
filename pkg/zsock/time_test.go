package zsock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
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

func TestDialBacksOffWithJitter(t *testing.T) {
	inBubble(t, func(b *bubble) {
		cfg := Config{ReconnectMin: 100 * time.Millisecond, ReconnectMax: 2 * time.Second}.withDefaults()
		pause := backoff{cfg: &cfg}
		var full, got []time.Duration
		for d := cfg.ReconnectMin; len(full) < 8; d = min(2*d, cfg.ReconnectMax) {
			full, got = append(full, d), append(got, pause.next())
		}
		for i := range full {
			if got[i] > full[i] || got[i] < full[i]/2 {
				b.Errorf("pause %d is %v, want between %v and %v", i, got[i], full[i]/2, full[i])
			}
		}
		pull := newIn(b, NewPull, cfg)
		mustDial(b, pull, "inproc://late")
		time.Sleep(time.Hour)
		push := newIn(b, NewPush, Config{})
		mustListen(b, push, "inproc://late")
		start := time.Now()
		if err := push.Send(b.Context(), text("x")); err != nil {
			b.Fatal(err)
		}
		if took := time.Since(start); took > cfg.ReconnectMax {
			b.Errorf("connected %v after the other side came", took)
		}
		// A connection that worked resets the pauses.
		_ = push.Close(b.Context())
		push = newIn(b, NewPush, Config{})
		mustListen(b, push, "inproc://late")
		start = time.Now()
		if err := push.Send(b.Context(), text("x")); err != nil {
			b.Fatal(err)
		}
		if took := time.Since(start); took > cfg.ReconnectMin {
			b.Errorf("connected again after %v", took)
		}
	})
}

// fakeDNS is a resolver whose answers the test changes.
type fakeDNS struct {
	mu        sync.Mutex
	addresses []string
	asked     int
}

func (d *fakeDNS) set(addresses ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addresses = addresses
}

func (d *fakeDNS) resolve(_ context.Context, host string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	if host != "workers" {
		return nil, fmt.Errorf("host %q", host)
	}
	if len(d.addresses) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	return slices.Clone(d.addresses), nil
}

func TestNameWithSeveralAddressesIsAPeerAtEach(t *testing.T) {
	dns := &fakeDNS{}
	ev := newEvents()
	push := opened(t, NewPush, Config{Network: Network{Resolve: dns.resolve}, ResolveEvery: 10 * time.Millisecond,
		ReconnectMin: time.Millisecond, ReconnectMax: 5 * time.Millisecond, OnPeer: ev.on})
	first := opened(t, NewPull, Config{})
	_, port, _ := net.SplitHostPort(mustListen(t, first, "tcp://127.0.0.1:0")[len("tcp://"):])
	second, third := opened(t, NewPull, Config{}), opened(t, NewPull, Config{})
	mustListen(t, second, "tcp://127.0.0.2:"+port)
	mustListen(t, third, "tcp://127.0.0.3:"+port)
	mustDial(t, push, "tcp://workers:"+port) // the name does not exist yet
	dns.set("127.0.0.1", "127.0.0.2", "::1")
	remotes := []string{ev.wait(t, PeerUp).Peer.Remote, ev.wait(t, PeerUp).Peer.Remote}
	slices.Sort(remotes)
	if want := []string{"127.0.0.1:" + port, "127.0.0.2:" + port}; !slices.Equal(remotes, want) {
		t.Errorf("peers %v, want %v (and no IPv6 beside IPv4)", remotes, want)
	}
	dns.set("127.0.0.2", "127.0.0.3")
	if up := ev.wait(t, PeerUp); up.Peer.Remote != "127.0.0.3:"+port {
		t.Errorf("peer %v", up.Peer)
	}
	// An address that is gone is kept while it is connected, and not dialled again.
	if n := len(push.Peers()); n != 3 {
		t.Errorf("%d peers", n)
	}
	await(t, "the change to be known", func() bool {
		dns.mu.Lock()
		defer dns.mu.Unlock()
		return dns.asked > 10
	})
	_ = first.Close(testContext(t))
	ev.wait(t, PeerDown)
	again := opened(t, NewPull, Config{})
	mustListen(t, again, "tcp://127.0.0.1:"+port)
	select {
	case e := <-ev.ch:
		t.Errorf("event %+v", e)
	case <-time.After(100 * time.Millisecond):
	}
	dns.set("127.0.0.1", "127.0.0.2", "127.0.0.3") // and back
	if up := ev.wait(t, PeerUp); up.Peer.Remote != "127.0.0.1:"+port {
		t.Errorf("peer %v", up.Peer)
	}
}

func TestPrefixSubscribersGetMessagesInBatches(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const delay = 50 * time.Millisecond
		pub := newIn(b, NewPub, Config{PrefixBatchDelay: delay, SendHWM: 10})
		if _, err := pub.Listen("inproc://events"); err != nil {
			b.Fatal(err)
		}
		subscribe := func(prefix string) *Sub {
			sub := newIn(b, NewSub, Config{})
			if err := errors.Join(sub.Subscribe(prefix), sub.Dial("inproc://events")); err != nil {
				b.Fatal(err)
			}
			return sub
		}
		waits, watches := subscribe("task.done"), subscribe("task.")
		synctest.Wait()
		publish := func(n int) {
			for range n {
				if err := pub.Publish(Message{[]byte("task.done"), []byte("x")}); err != nil {
					b.Fatal(err)
				}
			}
			synctest.Wait()
		}
		got := func(sub *Sub) int {
			sub.mu.Lock()
			n := sub.msgs
			sub.mu.Unlock()
			for range n {
				if _, err := sub.Recv(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			return n
		}
		publish(3)
		if n := got(waits); n != 3 {
			b.Errorf("the subscriber of the whole topic has %d of 3 at once", n)
		}
		if n := got(watches); n != 0 {
			b.Errorf("the prefix subscriber has %d before %v", n, delay)
		}
		time.Sleep(delay)
		synctest.Wait()
		if n := got(watches); n != 3 {
			b.Errorf("the prefix subscriber has %d of 3 after %v", n, delay)
		}
		publish(5) // half of what may be queued: a batch must not cost messages
		if n := got(watches); n != 0 {
			b.Errorf("%d of 5 came at once", n)
		}
		publish(1)
		if n := got(watches); n != 6 {
			b.Errorf("%d of 6 came when the queue was half full", n)
		}
	})
}
