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
