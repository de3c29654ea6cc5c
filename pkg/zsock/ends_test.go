package zsock

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"
)

// The rest of what defects_test.go begins.

func TestDefect07StalledPeerThrottlesNobody(t *testing.T) {
	t.Run("PUSH", func(t *testing.T) {
		const n = 2000
		ev := newEvents()
		push := opened(t, NewPush, Config{OnPeer: ev.on, SendHWM: 10})
		bound := mustListen(t, push, "tcp://127.0.0.1:0")
		dialReady(t, bound, "PULL") // never reads
		stalled := ev.wait(t, PeerUp).Peer.ID
		received := make(chan struct{}, n)
		for range 3 {
			pull := opened(t, NewPull, Config{})
			mustDial(t, pull, bound)
			ev.wait(t, PeerUp)
			background(t, func(ctx context.Context) {
				for {
					if _, err := pull.Recv(ctx); err != nil {
						return
					}
					received <- struct{}{}
				}
			})
		}
		for range n {
			if err := push.Send(testContext(t), Message{make([]byte, 10<<10)}); err != nil {
				t.Fatal(err)
			}
		}
		await(t, "the others' messages", func() bool {
			for _, p := range push.Peers() {
				if p.ID == stalled {
					return len(received) >= n-int(p.Sent)-p.Queued
				}
			}
			return false
		})
	})
	t.Run("PUB", func(t *testing.T) {
		const n = 2000
		pub := opened(t, NewPub, Config{SendHWM: n})
		bound := mustListen(t, pub, "tcp://127.0.0.1:0")
		dialReady(t, bound, "SUB").say(t, frameBytes(0, []byte{1})) // never reads
		sub := opened(t, NewSub, Config{})
		_ = sub.Subscribe("")
		mustDial(t, sub, bound)
		awaitTopics(t, pub, 2)
		for range n {
			if err := pub.Publish(Message{make([]byte, 10<<10)}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range n {
			if _, err := sub.Recv(testContext(t)); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
	})
}

func TestDefect08InprocCarriesLargeFrames(t *testing.T) {
	cfg := Config{Network: Network{Inproc: NewInproc()}, MaxMessage: 8 << 20}
	push, pull := opened(t, NewPush, cfg), opened(t, NewPull, cfg)
	mustDial(t, pull, mustListen(t, push, "inproc://images"))
	for _, size := range []int{0, 1, 255, 256, 65535, 65536, 1 << 20, 3<<20 + 1} {
		body := make([]byte, size)
		for i := range body {
			body[i] = byte(i * 7 >> 3)
		}
		if err := push.Send(testContext(t), Message{body, body}); err != nil {
			t.Fatal(err)
		}
		m, err := pull.Recv(testContext(t))
		if err != nil || len(m) != 2 || !bytes.Equal(m[0], body) || !bytes.Equal(m[1], body) {
			t.Fatalf("%d bytes: %d parts, %v", size, len(m), err)
		}
	}
}

func TestDefect09PingIsAnsweredAndKept(t *testing.T) {
	pull := opened(t, NewPull, Config{})
	p := dialReady(t, mustListen(t, pull, "tcp://127.0.0.1:0"), "PUSH")
	p.say(t, commandFrame("PING", []byte("\x00\x05context")))
	if name, body := p.command(t); name != "PONG" || string(body) != "context" {
		t.Fatalf("answered %s %q", name, body)
	}
	// Between two frames of a message, as libzmq sends it.
	p.say(t, frameBytes(flagMore, []byte("a")), commandFrame("PING", []byte{0, 5}), frameBytes(0, []byte("b")))
	if name, body := p.command(t); name != "PONG" || len(body) != 0 {
		t.Fatalf("answered %s %q", name, body)
	}
	if m, err := pull.Recv(testContext(t)); err != nil || len(m) != 2 || string(m[1]) != "b" {
		t.Fatalf("received %q, %v", m, err)
	}
}

func TestDefect10EndsAreClean(t *testing.T) {
	t.Run("one of two servers dies", func(t *testing.T) {
		ev := newEvents()
		req := opened(t, NewReq, Config{OnPeer: ev.on})
		bound := mustListen(t, req, "tcp://127.0.0.1:0")
		dying := dialReady(t, bound, "REP")
		ev.wait(t, PeerUp)
		answer := make(chan error)
		go func() {
			_, err := req.Do(testContext(t), text("?"))
			answer <- err
		}()
		dying.message(t)
		_ = dying.Close()
		if err := <-answer; !errors.Is(err, ErrPeerLost) {
			t.Fatal(err)
		}
		living := dialReady(t, bound, "REP")
		go func() {
			_, err := req.Do(testContext(t), text("?"))
			answer <- err
		}()
		living.message(t)
		living.say(t, frameBytes(flagMore, nil), frameBytes(0, nil))
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a request's time is obeyed and its late reply is nobody's", func(t *testing.T) {
		req := opened(t, NewReq, Config{})
		p := dialReady(t, mustListen(t, req, "tcp://127.0.0.1:0"), "REP")
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if _, err := req.Do(ctx, text("?")); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		p.closed(t)
	})
	t.Run("a peer's end is no error of Recv", func(t *testing.T) {
		pull := opened(t, NewPull, Config{})
		bound := mustListen(t, pull, "tcp://127.0.0.1:0")
		for _, word := range []string{"one", "two"} {
			p := dialReady(t, bound, "PUSH")
			p.say(t, frameBytes(0, []byte(word)))
			_ = p.Close()
			if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != word {
				t.Fatal(m, err)
			}
		}
	})
	t.Run("PUB sends what is queued before it closes", func(t *testing.T) {
		const n = 500
		pub := opened(t, NewPub, Config{})
		sub := opened(t, NewSub, Config{})
		_ = sub.Subscribe("")
		mustDial(t, sub, mustListen(t, pub, "tcp://127.0.0.1:0"))
		awaitTopics(t, pub, 1)
		for range n {
			_ = pub.Publish(Message{make([]byte, 10000)})
		}
		if err := pub.Close(testContext(t)); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if _, err := sub.Recv(testContext(t)); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
		}
	})
	t.Run("PLAIN is refused", func(t *testing.T) {
		ev := newEvents()
		pull := opened(t, NewPull, Config{OnPeer: ev.on})
		p := dialRaw(t, mustListen(t, pull, "tcp://127.0.0.1:0"))
		p.say(t, greetingBytes("PLAIN"))
		if refused := ev.wait(t, PeerRefused); !errors.Is(refused.Err, ErrProtocol) {
			t.Error(refused.Err)
		}
		p.closed(t)
	})
}
