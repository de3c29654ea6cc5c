package zsock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestRepRefusesByDropping(t *testing.T) {
	ev := newEvents()
	rep := opened(t, NewRep, Config{OnPeer: ev.on})
	bound := mustListen(t, rep, "tcp://127.0.0.1:0")
	waits := make(chan struct{})
	background(t, func(ctx context.Context) {
		_ = rep.Serve(ctx, func(ctx context.Context, req Message) Message {
			switch string(req[0]) {
			case "panic":
				panic("a handler's fault")
			case "wait":
				close(waits)
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
	<-waits
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

func TestRepServesPeersAtOnceAndEachInLockStep(t *testing.T) {
	inBubble(t, func(b *bubble) {
		rep := newIn(b, NewRep, Config{})
		mustListen(b, rep, "inproc://s")
		ctx, cancel := context.WithCancel(b.Context())
		var serving sync.WaitGroup
		var busy [2]atomic.Int32
		serving.Go(func() {
			_ = rep.Serve(ctx, func(_ context.Context, req Message) Message {
				i := req[0][0] - '0'
				if n := busy[i].Add(1); n > 1 {
					b.Errorf("%d requests of one peer at once", n)
				}
				time.Sleep(time.Minute)
				busy[i].Add(-1)
				return req
			})
		})
		start := time.Now()
		var peers [2]*rawPeer
		for i := range peers {
			peers[i] = b.raw("s", "DEALER")
			for range 3 {
				peers[i].say(b, frameBytes(flagMore, nil), frameBytes(0, []byte(fmt.Sprint(i))))
			}
		}
		for range 3 {
			for _, p := range peers {
				_ = p.SetReadDeadline(time.Time{})
				for left := 2; left > 0; left-- {
					var header [2]byte
					if _, err := io.ReadFull(p, header[:]); err != nil {
						b.Fatal(err)
					}
					if _, err := io.CopyN(io.Discard, p, int64(header[1])); err != nil {
						b.Fatal(err)
					}
				}
			}
		}
		if took := time.Since(start); took != 3*time.Minute {
			b.Errorf("3 requests of a minute from each of 2 peers took %v", took)
		}
		cancel()
		serving.Wait()
	})
}
