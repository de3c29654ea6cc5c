package zsock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// identified connects by hand to an inproc endpoint as a PUSH with that identity.
func (b *bubble) identified(name, identity string) *rawPeer {
	conn, err := b.cfg.Network.Inproc.dial(b.Context(), name, 0)
	if err != nil {
		b.Fatal(err)
	}
	p := &rawPeer{conn}
	p.say(b, greetingBytes("NULL"), commandFrame("READY", appendProperty(readyBody("PUSH"), propertyIdentity, identity)))
	p.hear(b, greetingSize)
	p.frame(b)
	b.sockets = append(b.sockets, closeFunc(conn.Close))
	return p
}

func TestIdlePeersMakeRoom(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pull := newIn(b, NewPull, Config{MaxPeers: 3, OnPeer: ev.on})
		mustListen(b, pull, "inproc://in")
		b.identified("in", "w1")
		ids := []PeerID{ev.wait(b.T, PeerUp).Peer.ID}
		for range 2 {
			b.raw("in", "PUSH")
			ids = append(ids, ev.wait(b.T, PeerUp).Peer.ID)
			time.Sleep(time.Millisecond)
		}
		b.raw("in", "PUSH") // all are too young to be idle
		var limitErr *LimitError
		if refused := ev.wait(b.T, PeerRefused); !errors.As(refused.Err, &limitErr) {
			b.Errorf("refused for %v", refused.Err)
		}
		time.Sleep(2 * evictAnonymous)
		b.raw("in", "PUSH")
		if down := ev.wait(b.T, PeerDown); down.Peer.ID != ids[1] || !errors.Is(down.Err, errEvicted) {
			b.Errorf("peer %d is lost for %v; want the oldest anonymous one, %d", down.Peer.ID, down.Err, ids[1])
		}
		time.Sleep(2 * evictAnonymous)
		for range 2 {
			b.identified("in", "w2")
			if down := ev.wait(b.T, PeerDown); down.Peer.ID == ids[0] {
				b.Error("a peer with an identity was evicted while anonymous ones were idle")
			}
		}
	})
}

func TestPeerThatSendsIsNotIdle(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pull := newIn(b, NewPull, Config{MaxPeers: 2, OnPeer: ev.on})
		mustListen(b, pull, "inproc://in")
		busy := b.raw("in", "PUSH")
		active := ev.wait(b.T, PeerUp).Peer.ID
		b.raw("in", "PUSH")
		ev.wait(b.T, PeerUp)
		for range 5 {
			time.Sleep(evictAnonymous)
			busy.say(b, frameBytes(0, []byte("m")))
			synctest.Wait()
			b.raw("in", "PUSH")
			if down := ev.wait(b.T, PeerDown); down.Peer.ID == active {
				b.Fatal("a peer that sends was evicted")
			}
		}
	})
}

func TestOneAddressCannotTakeAllPlaces(t *testing.T) {
	ev := newEvents()
	pull := opened(t, NewPull, Config{MaxPeers: 8, MaxPeersPerAddress: 2, OnPeer: ev.on})
	bound := mustListen(t, pull, "tcp://127.0.0.1:0")
	for range 2 {
		dialReady(t, bound, "PUSH")
		ev.wait(t, PeerUp)
	}
	dialReady(t, bound, "PUSH").closed(t)
	var limitErr *LimitError
	if refused := ev.wait(t, PeerRefused); !errors.As(refused.Err, &limitErr) || limitErr.Max != 2 {
		t.Errorf("refused for %v", refused.Err)
	}
}

func TestAccountOfAnAddress(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
	} {
		conn := addressed{remote: &net.TCPAddr{IP: net.ParseIP(address), Port: 1}}
		if got := accountOf(conn, Principal{}); got != want {
			t.Errorf("%s: account %q; want %q", address, got, want)
		}
		if got := accountOf(conn, Principal{Role: "worker", Name: "w1"}); got != "worker/w1" {
			t.Errorf("%s with a certificate: account %q", address, got)
		}
	}
	if got := accountOf(addressed{remote: inprocAddr("in")}, Principal{}); got != "" {
		t.Errorf("inproc: account %q", got)
	}
}

type addressed struct {
	net.Conn
	remote net.Addr
}

func (a addressed) RemoteAddr() net.Addr { return a.remote }

func TestSlowSenderLosesItsMemoryToOthers(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pull := newIn(b, NewPull, Config{MaxMessage: 1 << 20, ReceivingBytes: 1 << 20, OnPeer: ev.on})
		mustListen(b, pull, "inproc://in")
		slow := b.raw("in", "PUSH")
		slow.say(b, longHeader(0, 1<<20), make([]byte, 900<<10))
		_ = slow.SetWriteDeadline(time.Time{})
		var sending sync.WaitGroup
		sending.Go(func() {
			for {
				time.Sleep(time.Second)
				if _, err := slow.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		})
		time.Sleep(time.Minute) // nobody else needs the memory: a slow sender may take its time
		good := b.raw("in", "PUSH")
		good.say(b, longHeader(0, 500<<10), make([]byte, 32<<10))
		start := time.Now()
		sending.Go(func() { _, _ = good.Write(make([]byte, 468<<10)) })
		m, err := pull.Recv(b.Context())
		if err != nil || m.Size() != 500<<10 {
			b.Fatal(m.Size(), err)
		}
		if took := time.Since(start); took > receiveWindow+2*time.Second {
			b.Errorf("the good peer waited for %v", took)
		}
		if down := ev.wait(b.T, PeerDown); !errors.Is(down.Err, errSlowReceive) {
			b.Errorf("the slow peer was lost for %v", down.Err)
		}
		sending.Wait() // virtual time ends with this function
	})
}

// allocated counts the bytes that a socket holds in unfinished messages.
type allocated struct{ sizes chan int }

func (a allocated) Buffer(n int) []byte {
	a.sizes <- n
	return make([]byte, n)
}

func (a allocated) Release(p []byte) { a.sizes <- -len(p) }

func TestUnfinishedMessagesStayWithinTheBudget(t *testing.T) {
	inBubble(t, func(b *bubble) {
		memory := allocated{make(chan int, 1000)}
		pull := newIn(b, NewPull, Config{MaxMessage: 1 << 20, ReceivingBytes: 4 << 20, Memory: memory})
		mustListen(b, pull, "inproc://in")
		for range 40 {
			p := b.raw("in", "PUSH")
			go func() {
				_, _ = p.Write(longHeader(0, 1<<20))
				_, _ = p.Write(make([]byte, 960<<10))
				_, _ = io.Copy(io.Discard, p)
			}()
		}
		held := 0
		for range 100 { // the silent ones are dropped in turn
			time.Sleep(time.Second)
			pull.mu.Lock()
			reserved := pull.receiving.bytes
			pull.mu.Unlock()
			if reserved > 4<<20 {
				b.Fatalf("%d bytes are reserved", reserved)
			}
			for n := len(memory.sizes); n > 0; n-- {
				if size := <-memory.sizes; size != len("small") {
					held += size
				}
			}
			if held > 4<<20 {
				b.Fatalf("%d bytes are held", held)
			}
			b.raw("in", "PUSH").say(b, frameBytes(0, []byte("small")))
			if m, err := pull.Recv(b.Context()); err != nil || string(m[0]) != "small" {
				b.Fatal(m, err)
			}
		}
	})
}

func TestSubscriberThatReadsNothingIsDropped(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pub := newIn(b, NewPub, Config{OnPeer: ev.on, SendHWM: 100})
		mustListen(b, pub, "inproc://events")
		deaf := b.raw("events", "SUB")
		deaf.say(b, frameBytes(0, []byte{1}))
		ev.wait(b.T, PeerUp)
		synctest.Wait()
		start := time.Now()
		for range 60 {
			_ = pub.Publish(text("a.b", string(make([]byte, 10<<10))))
			time.Sleep(time.Second)
		}
		down := ev.wait(b.T, PeerDown)
		if !errors.Is(down.Err, ErrStalled) {
			b.Errorf("dropped for %v", down.Err)
		}
		if took := time.Since(start); took < 30*time.Second {
			b.Errorf("dropped after %v", took)
		}
	})
}

func TestSlowSubscriberThatReadsIsKept(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		pub := newIn(b, NewPub, Config{OnPeer: ev.on})
		mustListen(b, pub, "inproc://events")
		slow := b.raw("events", "SUB")
		slow.say(b, frameBytes(0, []byte{1}))
		ev.wait(b.T, PeerUp)
		synctest.Wait()
		_ = pub.Publish(text(string(make([]byte, 1<<20))))
		for range 10 {
			slow.hear(b, 64<<10)
			time.Sleep(20 * time.Second)
		}
		if n := len(pub.Peers()); n != 1 {
			b.Error("a subscriber that reads slowly was dropped")
		}
	})
}

func TestSlowSubscribersShareOneBudget(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pub := newIn(b, NewPub, Config{SendBytes: 1 << 20, SendHWM: 10_000})
		mustListen(b, pub, "inproc://events")
		for range 12 {
			b.raw("events", "SUB").say(b, frameBytes(0, []byte{1}))
		}
		good := newIn(b, NewSub, Config{RecvHWM: 10_000})
		_ = good.Subscribe("")
		mustDial(b, good, "inproc://events")
		synctest.Wait()
		for range 1000 {
			_ = pub.Publish(text(string(make([]byte, 10<<10))))
			if _, err := good.Recv(b.Context()); err != nil {
				b.Fatal(err)
			}
			pub.mu.Lock()
			owed := pub.queuedBytes
			pub.mu.Unlock()
			if owed > 1<<20+13*10<<10 {
				b.Fatalf("%d bytes are owed to all subscribers together", owed)
			}
		}
	})
}

func TestQueuedBytesAreAccountedFor(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pub := newIn(b, NewPub, Config{})
		mustListen(b, pub, "inproc://events")
		p := b.raw("events", "SUB")
		p.say(b, frameBytes(0, []byte{1}))
		synctest.Wait()
		for i := range 100 {
			_ = pub.Publish(text(fmt.Sprint(i), string(make([]byte, 10<<10))))
		}
		_ = p.Close()
		synctest.Wait()
		pub.mu.Lock()
		defer pub.mu.Unlock()
		if pub.queuedBytes != 0 || len(pub.peers) != 0 {
			b.Errorf("%d bytes are queued for %d peers", pub.queuedBytes, len(pub.peers))
		}
	})
}

func TestBackoffGrowsWhenPeersCloseAtOnce(t *testing.T) {
	inBubble(t, func(b *bubble) {
		accepted := make(chan struct{}, 100_000)
		b.serve("full", func(conn net.Conn) {
			accepted <- struct{}{}
			p := &rawPeer{conn}
			p.say(b, greetingBytes("NULL"), commandFrame("READY", readyBody("PULL")))
			p.hear(b, greetingSize)
			p.frame(b)
		})
		mustDial(b, newIn(b, NewPush, Config{}), "inproc://full")
		time.Sleep(time.Minute)
		if n := len(accepted); n > 40 {
			b.Errorf("%d connections in a minute to a peer that closes each at once", n)
		}
	})
}
