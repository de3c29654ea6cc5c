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
	cfg := Config{Network: Network{Inproc: NewInproc()}, OnPeer: ev.on}
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

// A transport that took 1000 bytes took nine messages of 102 whole, and a part of the tenth.
func TestWhatWasWrittenIsKnownToTheByte(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		push := newIn(b, NewPush, Config{KernelBuffer: 1000, OnPeer: ev.on})
		mustListen(b, push, "inproc://s")
		p := b.raw("s", "PULL")
		id := ev.wait(b, PeerUp).Peer.ID
		wrote := make([]error, 20)
		calls := 0
		for i := range wrote {
			err := push.SendTo(id, text(fmt.Sprintf("%-100d", i)), func(err error) { wrote[i], calls = err, calls+1 })
			if err != nil {
				b.Fatal(err)
			}
		}
		synctest.Wait()
		_ = p.Close()
		down := ev.wait(b, PeerDown)
		if calls != len(wrote) || down.Peer.Sent != 9 {
			b.Errorf("%d calls of written, %d messages sent", calls, down.Peer.Sent)
		}
		for i, err := range wrote {
			if (err == nil) != (i < 9) || i >= 9 && !errors.Is(err, ErrPeerLost) {
				b.Errorf("message %d: %v", i, err)
			}
		}
		if len(down.Unsent) != 10 || string(down.Unsent[0][0]) != fmt.Sprintf("%-100d", 10) {
			b.Errorf("%d messages untouched: %.20q", len(down.Unsent), down.Unsent)
		}
	})
}

// Of those, a message that need not go to that peer goes whole to the next.
func TestPartlyWrittenMessagesGoToAnotherPeer(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ev := newEvents()
		push := newIn(b, NewPush, Config{KernelBuffer: 1000, OnPeer: ev.on})
		mustListen(b, push, "inproc://s")
		p := b.raw("s", "PULL")
		ev.wait(b, PeerUp)
		for i := range 100 {
			if err := push.Send(b.Context(), text(fmt.Sprintf("%-100d", i))); err != nil {
				b.Fatal(err)
			}
		}
		synctest.Wait()
		_ = p.Close()
		ev.wait(b, PeerDown)
		pull := newIn(b, NewPull, Config{})
		mustDial(b, pull, "inproc://s")
		for i := 9; i < 20; i++ {
			if m, err := pull.Recv(testContext(b)); err != nil || string(m[0]) != fmt.Sprintf("%-100d", i) {
				b.Fatalf("message %d: %.10q, %v", i, m, err)
			}
		}
	})
}

func TestOnPeerMayCallTheSocket(t *testing.T) {
	var push *Push
	ready := make(chan struct{})
	cfg := Config{Network: Network{Inproc: NewInproc()}}
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

func TestIdlePeersTakeTurns(t *testing.T) {
	inBubble(t, func(b *bubble) {
		push := newIn(b, NewPush, Config{})
		mustListen(b, push, "inproc://s")
		for range 4 {
			mustDial(b, newIn(b, NewPull, Config{}), "inproc://s")
		}
		synctest.Wait()
		for range 12 {
			if err := push.Send(b.Context(), text("x")); err != nil {
				b.Fatal(err)
			}
			synctest.Wait()
		}
		for _, p := range push.Peers() {
			if p.Sent != 3 {
				b.Errorf("peer %d got %d of 12 messages", p.ID, p.Sent)
			}
		}
	})
}

func TestSendQueuesSeveralInOrderAndSaysWhenNotAllHadRoom(t *testing.T) {
	inBubble(t, func(b *bubble) {
		push := newIn(b, NewPush, Config{SendHWM: 3, KernelBuffer: 200})
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if err := push.Send(ctx, text("too"), text("early")); !errors.Is(err, ErrNoPeer) {
			b.Errorf("without a peer: %v", err)
		}
		mustListen(b, push, "inproc://s")
		pull := newIn(b, NewPull, Config{RecvHWM: 1, KernelBuffer: 200})
		mustDial(b, pull, "inproc://s")
		synctest.Wait()
		go func() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			defer cancel()
			var many []Message
			for i := range 100 {
				many = append(many, text(fmt.Sprintf("number %d", i)))
			}
			if err := push.Send(ctx, many...); !errors.Is(err, ErrFull) {
				b.Errorf("a peer that does not take them all: %v", err)
			}
		}()
		time.Sleep(2 * time.Second)
		got := 0
		for ; ; got++ {
			ctx, cancel := context.WithTimeout(b.Context(), time.Second)
			m, err := pull.Recv(ctx)
			cancel()
			if err != nil {
				break
			}
			if want := fmt.Sprintf("number %d", got); string(m[0]) != want {
				b.Errorf("%q came, not %q", m[0], want)
			}
		}
		if got < 3 || got >= 100 {
			b.Errorf("%d of 100 came", got)
		}
		if err := push.Send(b.Context()); err != nil {
			b.Errorf("nothing at all: %v", err)
		}
	})
}
