package zsock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// limit is how long a test waits for what must happen. It is no measurement.
const limit = 20 * time.Second

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

type closer interface{ Close(context.Context) error }

// opened returns a new socket that is closed, without waiting for unsent messages, when the test ends.
func opened[S closer](t testing.TB, open func(Config) (S, error), cfg Config) S {
	t.Helper()
	s, err := open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Close(ctx)
	})
	return s
}

type listener interface{ Listen(string) (string, error) }

type dialer interface{ Dial(string) error }

func mustListen(t testing.TB, s listener, endpoint string) string {
	t.Helper()
	bound, err := s.Listen(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

func mustDial(t testing.TB, s dialer, endpoint string) {
	t.Helper()
	if err := s.Dial(endpoint); err != nil {
		t.Fatal(err)
	}
}

func text(s ...string) Message {
	var m Message
	for _, f := range s {
		m = append(m, []byte(f))
	}
	return m
}

// events collects what OnPeer is told.
type events struct {
	ch chan PeerEvent
}

func newEvents() *events { return &events{make(chan PeerEvent, 10000)} }

func (e *events) on(ev PeerEvent) { e.ch <- ev }

// wait returns the next event of that kind, dropping others.
func (e *events) wait(t testing.TB, kind PeerEventKind) PeerEvent {
	t.Helper()
	timeout := time.After(limit)
	for {
		select {
		case ev := <-e.ch:
			if ev.Kind == kind {
				return ev
			}
		case <-timeout:
			t.Fatalf("no event %v", kind)
		}
	}
}

// endpoints are the transports that every test of what all have in common runs over.
func overTransports(t *testing.T, test func(t *testing.T, cfg Config, endpoint string)) {
	t.Run("tcp", func(t *testing.T) { test(t, Config{}, "tcp://127.0.0.1:0") })
	t.Run("ipc", func(t *testing.T) { test(t, Config{}, "ipc://"+filepath.Join(t.TempDir(), "s")) })
	t.Run("inproc", func(t *testing.T) { test(t, Config{Network: Network{Inproc: NewInproc()}}, "inproc://s") })
}

func TestPushReachesPull(t *testing.T) {
	overTransports(t, func(t *testing.T, cfg Config, endpoint string) {
		ctx := testContext(t)
		push := opened(t, NewPush, cfg)
		bound := mustListen(t, push, endpoint)
		pull := opened(t, NewPull, cfg)
		mustDial(t, pull, bound)
		for i := range 100 {
			sent := text(fmt.Sprint(i), "", string(make([]byte, i*1000)))
			if err := push.Send(ctx, sent); err != nil {
				t.Fatal(err)
			}
			got, from, err := pull.RecvFrom(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(got, sent, bytes.Equal) {
				t.Fatalf("message %d differs", i)
			}
			if from.Endpoint != bound {
				t.Fatalf("from %+v", from)
			}
		}
	})
}

func TestPubReachesSubscribersOnly(t *testing.T) {
	overTransports(t, func(t *testing.T, cfg Config, endpoint string) {
		ctx := testContext(t)
		pub := opened(t, NewPub, cfg)
		bound := mustListen(t, pub, endpoint)
		sub := opened(t, NewSub, cfg)
		mustDial(t, sub, bound)
		for _, prefix := range []string{"a.", "b."} {
			if err := sub.Subscribe(prefix); err != nil {
				t.Fatal(err)
			}
		}
		awaitTopics(t, pub, 2)
		for _, topic := range []string{"c.1", "a.1", "", "b.1", "a.2"} {
			if err := pub.Publish(text(topic, "body")); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []string{"a.1", "b.1", "a.2"} {
			m, err := sub.Recv(ctx)
			if err != nil || string(m[0]) != want {
				t.Fatalf("got %q, %v; want %q", m, err, want)
			}
		}
		if err := sub.Unsubscribe("a."); err != nil {
			t.Fatal(err)
		}
		awaitTopics(t, pub, 1)
		_ = pub.Publish(text("a.3"))
		_ = pub.Publish(text("b.2"))
		if m, err := sub.Recv(ctx); err != nil || string(m[0]) != "b.2" {
			t.Fatalf("got %q, %v after Unsubscribe", m, err)
		}
	})
}

// awaitTopics waits until all subscribers of pub together have n subscriptions.
func awaitTopics(t testing.TB, pub *Pub, n int) {
	t.Helper()
	await(t, fmt.Sprintf("%d subscriptions", n), func() bool {
		pub.mu.Lock()
		defer pub.mu.Unlock()
		total := 0
		for _, p := range pub.peers {
			total += len(p.topics)
		}
		return total == n
	})
}

// await polls for a state that no event announces.
func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		<-time.After(time.Millisecond)
	}
}

func TestReqGetsReplies(t *testing.T) {
	overTransports(t, func(t *testing.T, cfg Config, endpoint string) {
		ctx := testContext(t)
		rep := opened(t, NewRep, cfg)
		bound := mustListen(t, rep, endpoint)
		var serving sync.WaitGroup
		serveCtx, stop := context.WithCancel(ctx)
		serving.Go(func() {
			err := rep.Serve(serveCtx, func(_ context.Context, req Message) Message {
				return append(text("re"), req...)
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("Serve: %v", err)
			}
		})
		req := opened(t, NewReq, cfg)
		mustDial(t, req, bound)
		var asking sync.WaitGroup
		for i := range 20 {
			asking.Go(func() {
				got, err := req.Do(ctx, text(fmt.Sprint(i)))
				if err != nil || len(got) != 2 || string(got[1]) != fmt.Sprint(i) {
					t.Errorf("request %d: %q, %v", i, got, err)
				}
			})
		}
		asking.Wait()
		stop()
		serving.Wait()
	})
}
