package zsock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What go-zeromq/zmq4's own sockets do wrong, each as a test that ours pass.

func TestDefect01PushDoesNotBroadcast(t *testing.T) {
	overTransports(t, func(t *testing.T, cfg Config, endpoint string) {
		const n, workers = 1000, 4
		ctx := testContext(t)
		ev := newEvents()
		pushCfg := cfg
		pushCfg.OnPeer = ev.on
		push := opened(t, NewPush, pushCfg)
		bound := mustListen(t, push, endpoint)
		received := make(chan string, 2*n)
		var counts [workers]int
		var mu sync.Mutex
		for w := range workers {
			pull := opened(t, NewPull, cfg)
			mustDial(t, pull, bound)
			ev.wait(t, PeerUp)
			background(t, func(ctx context.Context) {
				for {
					m, err := pull.Recv(ctx)
					if err != nil {
						return
					}
					mu.Lock()
					counts[w]++
					mu.Unlock()
					received <- string(m[0])
				}
			})
		}
		for i := range n {
			if err := push.Send(ctx, text(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		seen := make(map[string]bool)
		for range n {
			select {
			case m := <-received:
				if seen[m] {
					t.Fatalf("message %s came twice", m)
				}
				seen[m] = true
			case <-ctx.Done():
				t.Fatalf("%d of %d messages came", len(seen), n)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		if slices.Min(counts[:]) < n/workers/4 {
			t.Errorf("the peers got %v messages", counts)
		}
		if len(received) > 0 {
			t.Errorf("%d messages too many", len(received))
		}
	})
}

func TestDefect02NoStrangerKillsTheProcess(t *testing.T) {
	for name, bytes := range map[string][]byte{
		"unknown socket type":  commandFrame("READY", readyBody("TEAPOT")),
		"no socket type":       commandFrame("READY", nil),
		"truncated property":   commandFrame("READY", []byte{200, 'a'}),
		"header of 2^62":       longHeader(flagCommand, 1<<62),
		"header of 2^40":       longHeader(flagCommand, 1<<40),
		"frame of 2^62, later": append(commandFrame("READY", readyBody("PUSH")), longHeader(0, 1<<62)...),
		"frame of 2^40, later": append(commandFrame("READY", readyBody("PUSH")), longHeader(0, 1<<40)...),
	} {
		pull := opened(t, NewPull, Config{}) // its own: one that was a peer may still be listed when its connection is closed
		p := dialRaw(t, mustListen(t, pull, "tcp://127.0.0.1:0"))
		p.say(t, greetingBytes("NULL"), bytes)
		p.closed(t)
		if peers := pull.Peers(); len(peers) > 0 && !strings.Contains(name, "later") {
			t.Errorf("%s: became a peer", name)
		}
	}
}

func TestDefect03SilentConnectionsStopNobody(t *testing.T) {
	t.Run("accepted", func(t *testing.T) {
		ev := newEvents()
		pull := opened(t, NewPull, Config{MaxHandshakes: 10, OnPeer: ev.on})
		bound := mustListen(t, pull, "tcp://127.0.0.1:0")
		for range 30 {
			dialRaw(t, bound)
		}
		for range 20 {
			if e := ev.wait(t, PeerRefused); !errors.Is(e.Err, errCrowded) {
				t.Errorf("refused for %v", e.Err)
			}
		}
		push := opened(t, NewPush, Config{})
		mustDial(t, push, bound)
		if err := push.Send(testContext(t), text("served")); err != nil {
			t.Fatal(err)
		}
		if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != "served" {
			t.Fatal(m, err)
		}
	})
	t.Run("dialled", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ev := newEvents()
		push := opened(t, NewPush, Config{
			HandshakeTimeout: 50 * time.Millisecond, ReconnectMin: time.Millisecond, OnPeer: ev.on})
		mustDial(t, push, "tcp://"+l.Addr().String())
		for range 3 { // it gives up, closes, and tries again
			conn, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			(&rawPeer{conn}).closed(t)
			_ = conn.Close()
			ev.wait(t, PeerRefused)
		}
	})
}

func TestDefect04SendNeverSucceedsIntoTheVoid(t *testing.T) {
	brief, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	ev := newEvents()
	push := opened(t, NewPush, Config{OnPeer: ev.on})
	if err := push.Send(brief, text("x")); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrNoPeer) {
		t.Fatalf("without a peer: %v", err)
	}
	bound := mustListen(t, push, "tcp://127.0.0.1:0")
	raw := dialReady(t, bound, "PULL")
	up := ev.wait(t, PeerUp)
	_ = raw.Close()
	ev.wait(t, PeerDown)
	if err := push.SendTo(up.Peer.ID, text("x"), nil); !errors.Is(err, ErrNoPeer) {
		t.Fatalf("to a peer that is gone: %v", err)
	}
	brief, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := push.Send(brief, text("x")); !errors.Is(err, ErrNoPeer) {
		t.Fatalf("after the last peer went: %v", err)
	}
	// What was queued for a peer that did not take it goes to the next.
	frozen := dialReady(t, bound, "PULL")
	ev.wait(t, PeerUp)
	const n = 40
	for i := range n {
		if err := push.Send(testContext(t), Message{[]byte(fmt.Sprint(i)), make([]byte, 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	_ = frozen.Close()
	sent := ev.wait(t, PeerDown).Peer.Sent // these are lost in the kernel: a send proves nothing
	if sent == n {
		t.Fatal("nothing was left unsent: the test tests nothing")
	}
	pull := opened(t, NewPull, Config{MaxMessage: 2 << 20})
	mustDial(t, pull, bound)
	seen := make(map[string]bool)
	for range n - int(sent) {
		m, err := pull.Recv(testContext(t))
		if err != nil {
			t.Fatalf("%d of %d unsent messages came: %v", len(seen), n-int(sent), err)
		}
		seen[string(m[0])] = true
	}
	if len(seen) != n-int(sent) {
		t.Errorf("%d of %d unsent messages came, others twice", len(seen), n-int(sent))
	}
}

func TestDefect05ReconnectsAfterABreakWithinAFrame(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accept := func(kind string) *rawPeer {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p := &rawPeer{conn}
		p.say(t, greetingBytes("NULL"), commandFrame("READY", readyBody(kind)))
		p.hear(t, greetingSize)
		p.frame(t)
		return p
	}
	t.Run("PULL", func(t *testing.T) {
		pull := opened(t, NewPull, Config{ReconnectMin: time.Millisecond})
		mustDial(t, pull, "tcp://"+l.Addr().String())
		for range 3 {
			p := accept("PUSH")
			p.say(t, longHeader(0, 1000), make([]byte, 500))
			_ = p.Close()
		}
		p := accept("PUSH")
		defer p.Close()
		p.say(t, frameBytes(0, []byte("whole")))
		if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != "whole" {
			t.Fatal(m, err)
		}
		_ = pull.Close(testContext(t))
	})
	t.Run("REQ", func(t *testing.T) {
		req := opened(t, NewReq, Config{ReconnectMin: time.Millisecond})
		mustDial(t, req, "tcp://"+l.Addr().String())
		answer := make(chan error, 1)
		go func() {
			_, err := req.Do(testContext(t), text("?"))
			answer <- err
		}()
		p := accept("REP")
		p.message(t)
		p.say(t, frameBytes(flagMore, nil), longHeader(0, 1000), make([]byte, 500))
		_ = p.Close()
		if err := <-answer; !errors.Is(err, ErrPeerLost) {
			t.Fatalf("the request ended with %v", err)
		}
		go func() {
			_, err := req.Do(testContext(t), text("?"))
			answer <- err
		}()
		p = accept("REP")
		defer p.Close()
		p.message(t)
		p.say(t, frameBytes(flagMore, nil), frameBytes(0, []byte("!")))
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	})
	t.Run("a bound socket waits", func(t *testing.T) {
		ev := newEvents()
		pull := opened(t, NewPull, Config{ReconnectMin: time.Millisecond, OnPeer: ev.on})
		p := dialReady(t, mustListen(t, pull, "tcp://127.0.0.1:0"), "PUSH")
		ev.wait(t, PeerUp)
		_ = p.Close()
		ev.wait(t, PeerDown)
		select { // it would be refused by itself, or worse, be up
		case e := <-ev.ch:
			t.Errorf("something connected: %+v", e)
		case <-time.After(100 * time.Millisecond):
		}
	})
}

func TestDefect06TimedOutSendsDoNotTearFrames(t *testing.T) {
	ev := newEvents()
	push := opened(t, NewPush, Config{OnPeer: ev.on, SendHWM: 2, KernelBuffer: 16 << 10})
	p := dialReady(t, mustListen(t, push, "tcp://127.0.0.1:0"), "PULL") // does not read yet
	ev.wait(t, PeerUp)
	var accepted []string
	for i := range 30 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		name := fmt.Sprint(i)
		body := bytes.Repeat([]byte{byte(i)}, 300<<10)
		switch err := push.Send(ctx, Message{[]byte(name), body, []byte("end")}); {
		case err == nil:
			accepted = append(accepted, name)
		case !errors.Is(err, context.DeadlineExceeded):
			t.Fatal(err)
		}
		cancel()
	}
	if len(accepted) == 30 {
		t.Fatal("no Send timed out: the test tests nothing")
	}
	for _, want := range accepted {
		m := p.message(t)
		if len(m) != 3 || string(m[0]) != want || len(m[1]) != 300<<10 || string(m[2]) != "end" {
			t.Fatalf("want message %s, got %d parts of %d bytes", want, len(m), m.Size())
		}
	}
}
