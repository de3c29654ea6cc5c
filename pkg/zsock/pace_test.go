package zsock

import (
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

// A peer that is told to pause waits, and no other one does.
func TestPausedPeerAloneWaits(t *testing.T) {
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
		pull.Pause(peer.ID, maxPause/4)
		pull.Pause(peer.ID, maxPause/4)
		slow.say(b, []byte{0, 1, 'b'})
		quick.say(b, []byte{0, 1, 'c'})
		mustCome("c", 0)
		mustCome("b", maxPause/2)
		slow.say(b, []byte{0, 1, 'd'}) // it has waited once
		mustCome("d", maxPause/2)
		pull.Pause(peer.ID, time.Hour)
		pull.Pause(peer.ID, time.Hour)
		slow.say(b, []byte{0, 1, 'e'}) // within a second, not two hours
		mustCome("e", maxPause/2+maxPause)
		pull.Pause(peer.ID+100, time.Hour) // it is gone
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
