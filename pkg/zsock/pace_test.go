package zsock

import (
	"bytes"
	"fmt"
	"testing"
	"time"
)

func TestPaceGivesABurstAndThenARate(t *testing.T) {
	now := time.Now()
	p := &pace{rate: 10, have: 10, at: now}
	for i := range 10 {
		if wait := p.take(now); wait != 0 {
			t.Errorf("message %d of the burst waits %s", i, wait)
		}
	}
	for i := range 5 {
		if wait, want := p.take(now), time.Duration(i+1)*100*time.Millisecond; wait.Round(time.Millisecond) != want {
			t.Errorf("message %d after the burst waits %s, not %s", i, wait, want)
		}
	}
	if wait := p.take(now.Add(600 * time.Millisecond)); wait > time.Millisecond {
		t.Errorf("when the debt is paid a message waits %s", wait)
	}
	if p.take(now.Add(time.Hour)); p.have > 9 {
		t.Errorf("a burst of %v was saved up", p.have)
	}
	p.have, p.at = 10, now
	if wait := p.take(now.Add(-time.Hour)); wait != 0 { // the clock was set back
		t.Errorf("a message waits %s", wait)
	}
}

func TestUselessMessagesSlowTheirAccountDownMoreAndMore(t *testing.T) {
	now := time.Now()
	p := new(pace)
	if wait := p.slowDown(now); wait != uselessPause {
		t.Errorf("the first waits %s", wait)
	}
	var all time.Duration
	for range 1000 {
		all += p.slowDown(now)
	}
	if all < 15*time.Second || all > 20*time.Second {
		t.Errorf("1,000 wait %s", all)
	}
	if wait := p.slowDown(now.Add(time.Hour)); wait != uselessPause {
		t.Errorf("an hour later one waits %s", wait)
	}
	p.useless, p.uselessAt = 1e9, now
	if wait := p.slowDown(now.Add(-time.Hour)); wait != maxPause { // the clock was set back
		t.Errorf("after very many one waits %s", wait)
	}
}

// A peer that sends useless messages waits, and no other one does.
func TestUselessPeerAloneWaits(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{})
		mustListen(b, pull, "inproc://results")
		slow, quick := b.raw("results", "PUSH"), b.raw("results", "PUSH")
		slow.say(b, []byte{0, 1, 'a'})
		_, peer, err := pull.RecvFrom(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		mustCome := func(want string, after time.Duration) {
			b.Helper()
			m, err := pull.Recv(b.Context())
			if took := time.Since(begun); err != nil || string(m[0]) != want || took != after {
				b.Fatalf("%q instead of %q, after %s instead of %s, %v", m, want, took, after, err)
			}
		}
		for range 3 {
			pull.SlowDown(peer.ID)
		}
		slow.say(b, []byte{0, 1, 'b'})
		quick.say(b, []byte{0, 1, 'c'})
		mustCome("c", 0)
		mustCome("b", 3*uselessPause)
		slow.say(b, []byte{0, 1, 'd'}) // it has waited once
		mustCome("d", 3*uselessPause)
		for range 1000 {
			pull.SlowDown(peer.ID)
		}
		slow.say(b, []byte("\x00\x01e\x00\x01f\x00\x01g"))
		mustCome("e", 3*uselessPause+maxPause) // one waits no longer than that, and the next one waits for the rest
		mustCome("f", 3*uselessPause+1000*uselessPause)
		mustCome("g", 3*uselessPause+1000*uselessPause)
		pull.SlowDown(peer.ID + 100) // it is gone
	})
}

// Found: a good worker whose results of a forgotten run were refused waited for minutes beside a flood of its account.
func TestUselessPeerOwesTenSecondsAtMost(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{})
		mustListen(b, pull, "inproc://results")
		peer := b.raw("results", "PUSH")
		peer.say(b, []byte{0, 1, 'a'})
		_, from, err := pull.RecvFrom(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		for range 100 * maxOwed / uselessPause {
			pull.SlowDown(from.ID)
		}
		for range 2 * maxOwed / maxPause {
			peer.say(b, []byte{0, 1, 'b'})
			if _, err := pull.Recv(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		if took := time.Since(begun); took != maxOwed {
			b.Errorf("it waits for %s", took)
		}
	})
}

// Found: an account lost its useless messages two seconds after its last connection was closed.
func TestAccountsOfUselessMessagesAreRemembered(t *testing.T) {
	const maxPeers = 10
	now := time.Now()
	s := &socket{cfg: Config{MaxPeers: maxPeers}, paces: make(map[string]*pace)}
	add := func(kind string, n, peers int, useless float64) {
		for i := range n {
			s.paces[fmt.Sprint(kind, i)] = &pace{peers: peers, at: now, useless: useless, uselessAt: now}
		}
	}
	count := func(what string, after time.Duration, want int) {
		t.Helper()
		if s.forgetPaces(now.Add(after)); len(s.paces) != want {
			t.Errorf("%s: %d accounts instead of %d", what, len(s.paces), want)
		}
	}
	add("connected", 5, 1, 0)
	add("new", 5, 0, 0)
	add("useless", 10, 0, 3*uselessMany)
	count("at once", 0, 20)
	count("with a full burst", 3*time.Second, 15)
	add("new", 5, 0, 0)
	count("after a minute", time.Minute, 5)
	add("useless", 4*maxPeers-5, 0, 3*uselessMany)
	count("when there are too many", 3*time.Second, 5)
}

// Found: a peer that had to wait again and again heard nothing, took us for dead and came by a new connection.
func TestPeerThatWaitsIsPinged(t *testing.T) {
	inBubble(t, func(b *bubble) {
		pull := newIn(b, NewPull, Config{})
		mustListen(b, pull, "inproc://results")
		peer := b.raw("results", "PUSH")
		peer.say(b, commandFrame("PONG", nil)) // it understands PING
		const messages = 100
		peer.say(b, bytes.Repeat([]byte{0, 1, 'a'}, messages))
		begun := time.Now()
		for range messages {
			_, from, err := pull.RecvFrom(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			for range 50 * time.Millisecond / uselessPause {
				pull.SlowDown(from.ID)
			}
		}
		ended := time.Now()
		for seconds := int(ended.Sub(begun).Seconds()); seconds > 0; seconds-- {
			if name, _ := peer.command(b); name != "PING" || time.Now() != ended {
				b.Errorf("it heard %s after %s", name, time.Since(ended))
			}
		}
	})
}

// All peers of an address share its rate, wait when it is used up, and lose nothing.
func TestMessagesBeyondTheRateWait(t *testing.T) {
	const rate, peers, each = 200, 3, 200
	pull := opened(t, NewPull, Config{MessageRate: rate, RecvHWM: 1})
	bound := mustListen(t, pull, "tcp://127.0.0.1:0")
	for range peers {
		raw := dialReady(t, bound, "PUSH")
		go func() {
			for i := range each {
				_, _ = raw.Write(append([]byte{0, 3}, fmt.Sprintf("%03d", i)...))
			}
		}()
	}
	ctx := testContext(t)
	begun := time.Now()
	for range peers * each {
		if _, err := pull.Recv(ctx); err != nil {
			t.Fatal(err)
		}
	}
	const least = (peers*each/rate - 1) * time.Second * 3 / 4 // a lower bound: a busy machine takes longer
	if took := time.Since(begun); took < least {
		t.Errorf("%d messages came within %s", peers*each, took)
	}
	pull.mu.Lock()
	defer pull.mu.Unlock()
	if len(pull.paces) != 1 {
		t.Errorf("%d accounts", len(pull.paces))
	}
}
