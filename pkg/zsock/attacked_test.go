package zsock

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// attacked is a bound socket of one kind. good does what a good peer of it does, and fails unless it is served.
type attacked struct {
	name string
	kind string // of its peers
	open func(t *testing.T, cfg Config) (bound string, good func(ctx context.Context) error)
}

func attackedSockets() []attacked {
	return []attacked{
		{"PULL", "PUSH", openAttackedPull}, {"PUSH", "PULL", openAttackedPush},
		{"PUB", "SUB", openAttackedPub}, {"REP", "REQ", openAttackedRep},
	}
}

// background runs f until the test ends.
func background(t testing.TB, f func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f(ctx) })
	t.Cleanup(func() { cancel(); wg.Wait() })
}

func openAttackedPull(t *testing.T, cfg Config) (string, func(context.Context) error) {
	pull := opened(t, NewPull, cfg)
	arrived := make(chan struct{}, 1)
	background(t, func(ctx context.Context) {
		for {
			m, err := pull.Recv(ctx)
			if err != nil {
				return
			}
			if string(m[0]) == "good" {
				arrived <- struct{}{}
			}
		}
	})
	bound := mustListen(t, pull, "tcp://127.0.0.1:0")
	return bound, func(ctx context.Context) error {
		push := opened(t, NewPush, Config{})
		mustDial(t, push, bound)
		if err := push.Send(ctx, text("good", string(make([]byte, 100<<10)))); err != nil {
			return err
		}
		select {
		case <-arrived:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func openAttackedPush(t *testing.T, cfg Config) (string, func(context.Context) error) {
	push := opened(t, NewPush, cfg)
	background(t, func(ctx context.Context) {
		for push.Send(ctx, text(strings.Repeat("x", 1000))) == nil {
			select {
			case <-time.After(100 * time.Microsecond):
			case <-ctx.Done():
			}
		}
	})
	bound := mustListen(t, push, "tcp://127.0.0.1:0")
	return bound, func(ctx context.Context) error {
		pull := opened(t, NewPull, Config{})
		mustDial(t, pull, bound)
		_, err := pull.Recv(ctx)
		return err
	}
}

func openAttackedPub(t *testing.T, cfg Config) (string, func(context.Context) error) {
	pub := opened(t, NewPub, cfg)
	background(t, func(ctx context.Context) {
		for ctx.Err() == nil {
			_ = pub.Publish(text("good", strings.Repeat("x", 1000)))
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
	bound := mustListen(t, pub, "tcp://127.0.0.1:0")
	return bound, func(ctx context.Context) error {
		sub := opened(t, NewSub, Config{})
		_ = sub.Subscribe("good")
		mustDial(t, sub, bound)
		_, err := sub.Recv(ctx)
		return err
	}
}

func openAttackedRep(t *testing.T, cfg Config) (string, func(context.Context) error) {
	rep := opened(t, NewRep, cfg)
	background(t, func(ctx context.Context) {
		_ = rep.Serve(ctx, func(_ context.Context, req Message) Message { return req })
	})
	bound := mustListen(t, rep, "tcp://127.0.0.1:0")
	return bound, func(ctx context.Context) error {
		req := opened(t, NewReq, Config{})
		mustDial(t, req, bound)
		m, err := req.Do(ctx, text("good"))
		if err == nil && string(m[0]) != "good" {
			return fmt.Errorf("reply %q", m)
		}
		return err
	}
}
