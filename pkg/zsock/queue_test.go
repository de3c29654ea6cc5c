package zsock

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSendToReachesThatPeerOnly(t *testing.T) {
	ev := newEvents()
	cfg := Config{Inproc: NewInproc(), OnPeer: ev.on}
	push := opened(t, NewPush, cfg)
	mustListen(t, push, "inproc://s")
	cfg.OnPeer = nil
	pulls := make(map[PeerID]*Pull)
	for i := range 3 {
		cfg.Identity = fmt.Sprint("worker ", i)
		pull := opened(t, NewPull, cfg)
		mustDial(t, pull, "inproc://s")
		up := ev.wait(t, PeerUp)
		if up.Peer.Identity != cfg.Identity {
			t.Errorf("identity %q", up.Peer.Identity)
		}
		pulls[up.Peer.ID] = pull
	}
	written := make(chan error, 3)
	for id := range pulls {
		if err := push.SendTo(id, text(fmt.Sprint(id)), func(err error) { written <- err }); err != nil {
			t.Fatal(err)
		}
	}
	for id, pull := range pulls {
		if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != fmt.Sprint(id) {
			t.Errorf("peer %d received %q, %v", id, m, err)
		}
		if err := <-written; err != nil {
			t.Error(err)
		}
	}
	if err := push.SendTo(99, text("x"), nil); !errors.Is(err, ErrNoPeer) {
		t.Errorf("to a stranger: %v", err)
	}
	if err := push.SendTo(1, nil, nil); err == nil {
		t.Error("a message without frames was taken")
	}
}

func TestOnPeerMayCallTheSocket(t *testing.T) {
	var push *Push
	ready := make(chan struct{})
	cfg := Config{Inproc: NewInproc()}
	pushCfg := cfg
	pushCfg.OnPeer = func(e PeerEvent) {
		<-ready
		if e.Kind == PeerUp {
			if err := push.SendTo(e.Peer.ID, text("welcome"), nil); err != nil || len(push.Peers()) != 1 {
				t.Errorf("%d peers, %v", len(push.Peers()), err)
			}
		}
	}
	push = opened(t, NewPush, pushCfg)
	close(ready)
	mustListen(t, push, "inproc://s")
	pull := opened(t, NewPull, cfg)
	mustDial(t, pull, "inproc://s")
	if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != "welcome" {
		t.Error(m, err)
	}
}

func TestSendHighWaterMarks(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		push := newIn(b, NewPush, Config{SendHWM: 5, SendBytes: 1000_000, KernelBuffer: 1000, OnPeer: ev.on})
		mustListen(b, push, "inproc://s")
		b.raw("s", "PULL") // never reads
		id := ev.wait(b, PeerUp).Peer.ID
		sendUntilFull := func(size int) (n int) {
			for push.SendTo(id, Message{make([]byte, size)}, nil) == nil {
				n++
			}
			if err := push.SendTo(id, Message{make([]byte, size)}, nil); !errors.Is(err, ErrFull) {
				b.Errorf("full, SendTo says %v", err)
			}
			return n
		}
		if n := sendUntilFull(2000); n != 5 {
			b.Errorf("took %d messages", n)
		}
		b.raw("s", "PULL")
		id = ev.wait(b, PeerUp).Peer.ID
		if n := sendUntilFull(300_000); n != 3 {
			b.Errorf("took %d messages of 300 kB", n)
		}
		b.raw("s", "PULL")
		id = ev.wait(b, PeerUp).Peer.ID
		if n := sendUntilFull(5_000_000); n != 1 {
			b.Errorf("took %d messages larger than the mark", n)
		}
	})
}

func TestRecvHighWaterMarksStopReading(t *testing.T) {
	for name, c := range map[string]struct {
		cfg  Config
		want int
	}{
		"messages": {Config{RecvHWM: 7}, 7},
		"bytes":    {Config{RecvBytes: 50_000}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				pull := newIn(b, NewPull, c.cfg)
				mustListen(b, pull, "inproc://s")
				push := newIn(b, NewPush, Config{SendHWM: 1000})
				mustDial(b, push, "inproc://s")
				for i := range 100 {
					if err := push.Send(b.Context(), text(fmt.Sprintf("%-10000d", i))); err != nil {
						b.Fatal(err)
					}
				}
				synctest.Wait()
				if got := pull.Peers()[0].Received; got != uint64(c.want) {
					b.Errorf("%d messages were read ahead, want %d", got, c.want)
				}
				for i := range 100 {
					if m, err := pull.Recv(b.Context()); err != nil || string(m[0]) != fmt.Sprintf("%-10000d", i) {
						b.Fatalf("message %d: %.10q, %v", i, m[0], err)
					}
				}
			})
		})
	}
}

func TestRecvIsFairOverPeers(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{RecvHWM: 50})
		mustListen(b, pull, "inproc://s")
		for _, name := range []string{"flood", "quiet"} {
			p := b.raw("s", "PUSH")
			n := map[string]int{"flood": 1000, "quiet": 3}[name]
			go func() {
				for range n {
					if _, err := p.Write(frameBytes(0, []byte(name))); err != nil {
						return
					}
				}
			}()
			synctest.Wait()
		}
		quiet := 0
		for i := 0; quiet < 3; i++ {
			m, err := pull.Recv(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			if string(m[0]) == "quiet" {
				quiet++
			}
			synctest.Wait()
			if i > 10 {
				b.Fatalf("%d of 3 quiet messages among the first %d", quiet, i)
			}
		}
	})
}

func TestSlowSubscriberIsToldWhatItMissed(t *testing.T) {
	inBubble(t, func(b *bubble) {
		const hwm, n = 10, 100
		ev := newEvents()
		pub := newIn(b, NewPub, Config{SendHWM: hwm, OnPeer: ev.on, KernelBuffer: 1000,
			Missed: func(n uint64) Message { return text("missed", fmt.Sprint(n)) }})
		mustListen(b, pub, "inproc://s")
		p := b.raw("s", "SUB")
		p.say(b, frameBytes(0, []byte{1}), frameBytes(0, []byte{1, 'x'})) // twice, for one copy
		synctest.Wait()
		for i := range n {
			if err := pub.Publish(text("x", fmt.Sprint(i), strings.Repeat("-", 2000))); err != nil {
				b.Fatal(err)
			}
		}
		info := pub.Peers()[0]
		if info.Missed == 0 || info.Missed > n-hwm {
			b.Fatalf("missed %d of %d", info.Missed, n)
		}
		next, told := 0, 0
		for next < n {
			m := p.message(b)
			if string(m[0]) == "missed" {
				var k int
				if _, err := fmt.Sscan(string(m[1]), &k); err != nil {
					b.Fatal(err)
				}
				next += k
				told += k
				continue
			}
			if string(m[1]) != fmt.Sprint(next) {
				b.Fatalf("message %s where %d belongs", m[1], next)
			}
			next++
		}
		if told != int(info.Missed) {
			b.Errorf("told of %d, missed %d", told, info.Missed)
		}
	})
}

func TestSubscriptionsAreBounded(t *testing.T) {
	ev := newEvents()
	cfg := Config{MaxSubscriptions: 3, OnPeer: ev.on}
	pub, sub := opened(t, NewPub, cfg), opened(t, NewSub, cfg)
	var limitErr *LimitError
	for i := range 3 {
		if err := sub.Subscribe(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sub.Subscribe("one more"); !errors.As(err, &limitErr) {
		t.Errorf("one more prefix: %v", err)
	}
	if err := sub.Subscribe("1"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	_ = sub.Unsubscribe("2")
	if err := sub.Subscribe(strings.Repeat("x", maxPrefixBytes)); !errors.As(err, &limitErr) {
		t.Errorf("a long prefix: %v", err)
	}
	p := dialReady(t, mustListen(t, pub, "tcp://127.0.0.1:0"), "SUB")
	for i := range 4 {
		p.say(t, commandFrame("SUBSCRIBE", []byte(fmt.Sprint(i))))
	}
	if down := ev.wait(t, PeerDown); !errors.As(down.Err, &limitErr) {
		t.Errorf("dropped for %v", down.Err)
	}
	pub.mu.Lock()
	defer pub.mu.Unlock()
	if len(pub.topics.peers)+len(pub.topics.lengths)+len(pub.topics.count) > 0 {
		t.Errorf("left behind: %+v", pub.topics)
	}
}

func TestPeersAreBounded(t *testing.T) {
	ev := newEvents()
	pull := opened(t, NewPull, Config{MaxPeers: 2, OnPeer: ev.on})
	bound := mustListen(t, pull, "tcp://127.0.0.1:0")
	dialReady(t, bound, "PUSH")
	second := dialReady(t, bound, "PUSH")
	ev.wait(t, PeerUp)
	ev.wait(t, PeerUp)
	dialReady(t, bound, "PUSH").closed(t)
	var limitErr *LimitError
	if refused := ev.wait(t, PeerRefused); !errors.As(refused.Err, &limitErr) || limitErr.Max != 2 {
		t.Errorf("refused for %v", refused.Err)
	}
	_ = second.Close()
	ev.wait(t, PeerDown)
	dialReady(t, bound, "PUSH")
	if up := ev.wait(t, PeerUp); up.Peer.ID != 3 {
		t.Errorf("peer %d", up.Peer.ID)
	}
}

func TestMessageLimitsAreExact(t *testing.T) {
	for name, c := range map[string]struct {
		frames []int
		ok     bool
	}{
		"all bytes in one":     {[]int{1000}, true},
		"all bytes in three":   {[]int{400, 300, 300}, true},
		"one byte too many":    {[]int{1001}, false},
		"one too many in two":  {[]int{1000, 1}, false},
		"all parts":            {[]int{1, 1, 1, 1}, true},
		"one part too many":    {[]int{0, 0, 0, 0, 0}, false},
		"empty after the last": {[]int{1000, 0}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ev := newEvents()
			pull := opened(t, NewPull, Config{MaxMessage: 1000, MaxParts: 4, OnPeer: ev.on})
			p := dialReady(t, mustListen(t, pull, "tcp://127.0.0.1:0"), "PUSH")
			for i, size := range c.frames {
				flags := byte(flagMore)
				if i == len(c.frames)-1 {
					flags = 0
				}
				p.say(t, frameBytes(flags, make([]byte, size)))
			}
			if c.ok {
				if m, err := pull.Recv(testContext(t)); err != nil || len(m) != len(c.frames) {
					t.Error(len(m), err)
				}
				return
			}
			var limitErr *LimitError
			if down := ev.wait(t, PeerDown); !errors.As(down.Err, &limitErr) {
				t.Errorf("dropped for %v", down.Err)
			}
		})
	}
}

func TestRepRefusesByDropping(t *testing.T) {
	ev := newEvents()
	rep := opened(t, NewRep, Config{OnPeer: ev.on})
	bound := mustListen(t, rep, "tcp://127.0.0.1:0")
	background(t, func(ctx context.Context) {
		_ = rep.Serve(ctx, func(ctx context.Context, req Message) Message {
			switch string(req[0]) {
			case "panic":
				panic("a handler's fault")
			case "wait":
				<-ctx.Done()
			}
			return nil
		})
	})
	for _, word := range []string{"panic", "nothing"} {
		p := dialReady(t, bound, "REQ")
		p.say(t, frameBytes(flagMore, nil), frameBytes(0, []byte(word)))
		if down := ev.wait(t, PeerDown); !errors.Is(down.Err, errNoReply) {
			t.Errorf("%s: %v", word, down.Err)
		}
	}
	p := dialReady(t, bound, "REQ") // its going ends the handler's context, or the test does not end
	p.say(t, frameBytes(flagMore, nil), frameBytes(0, []byte("wait")))
	<-time.After(10 * time.Millisecond)
	_ = p.Close()
	ev.wait(t, PeerDown)
}

func TestRepKeepsEnvelopes(t *testing.T) {
	rep := opened(t, NewRep, Config{})
	background(t, func(ctx context.Context) {
		_ = rep.Serve(ctx, func(_ context.Context, req Message) Message { return append(text("re"), req...) })
	})
	p := dialReady(t, mustListen(t, rep, "tcp://127.0.0.1:0"), "DEALER")
	for i := range 3 { // without waiting: one after the other is served
		p.say(t, frameBytes(flagMore, []byte("hop")), frameBytes(flagMore, nil), frameBytes(0, []byte(fmt.Sprint(i))))
	}
	for i := range 3 {
		if m := p.message(t); fmt.Sprintf("%q", m) != fmt.Sprintf(`["hop" "" "re" "%d"]`, i) {
			t.Errorf("reply %q", m)
		}
	}
}

func TestConfigIsValidated(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Identity":                    {Identity: strings.Repeat("x", 256)},
		"zero byte":                   {Identity: "\x00x"},
		"MaxMessage is -1":            {MaxMessage: -1},
		"SendHWM is -5":               {SendHWM: -5},
		"ReconnectMax 1s":             {ReconnectMin: 2 * time.Second, ReconnectMax: time.Second},
		"HeartbeatTimeout 1s":         {Heartbeat: 2 * time.Second, HeartbeatTimeout: time.Second},
		"HandshakeTimeout is -1ns":    {HandshakeTimeout: -1},
		"HeartbeatTimeout is -1ns; i": {HeartbeatTimeout: -1},
	} {
		if _, err := NewPull(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v; want %q in it", cfg, err, name)
		}
	}
	if err := (Config{Heartbeat: -1}).Validate(); err != nil {
		t.Error(err)
	}
}
