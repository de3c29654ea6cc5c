package zsock

import (
	"math"
	"sync"
	"time"
)

// pace bounds the messages that all peers of one account send, to a mean rate and a burst of one second. Whoever sends
// more waits: its messages stay in the kernel and with the sender, and nothing is dropped.
type pace struct {
	peers int // of the account; socket.mu guards it

	mu   sync.Mutex
	rate float64   // messages a second
	have float64   // messages that may come at once; below 0: how many wait already
	at   time.Time // when have was right

	useless   float64   // messages of the account that SlowDown was called for; half of them are forgotten in forgetHalf
	uselessAt time.Time // when useless was right
}

// take returns how long the next message has to wait.
func (p *pace) take(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.have = min(p.rate, p.have+max(0, now.Sub(p.at).Seconds())*p.rate) - 1
	p.at = now
	if p.have >= 0 {
		return 0
	}
	return time.Duration(-p.have / p.rate * float64(time.Second))
}

// joinPace gives p the pace of its account. socket.mu must be held.
func (s *socket) joinPace(p *peer) {
	if s.cfg.MessageRate == 0 || p.account == "" {
		return
	}
	if s.paces == nil {
		s.paces = make(map[string]*pace)
	}
	shared := s.paces[p.account]
	if shared == nil {
		s.forgetPaces(time.Now())
		rate := float64(s.cfg.MessageRate)
		shared = &pace{rate: rate, have: rate, at: time.Now()}
		s.paces[p.account] = shared
	}
	shared.peers++
	p.pace = shared
}

// leavePace notes that p has left its account. socket.mu must be held.
func (s *socket) leavePace(p *peer) {
	if p.pace != nil {
		p.pace.peers--
	}
}

// forgetPaces forgets, when there are many, those accounts that have no peer, a full burst again, and few useless
// messages. Until then a client gains nothing by connecting again. When there are twice as many, it forgets all that
// have no peer. socket.mu must be held.
func (s *socket) forgetPaces(now time.Time) {
	if len(s.paces) < 2*s.cfg.MaxPeers {
		return
	}
	tooMany := len(s.paces) >= 4*s.cfg.MaxPeers
	for account, p := range s.paces {
		if p.peers == 0 && (tooMany || p.isAsNew(now)) {
			delete(s.paces, account)
		}
	}
}

// isAsNew reports whether the account has about as much to send as one that was not seen before.
func (p *pace) isAsNew(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Sub(p.at) > 2*time.Second && p.uselessNow(now) < uselessMany
}

// A peer waits for uselessPause after a useless message, and for as much more after each uselessMany of its account.
// One message never waits longer than maxPause, and all that a peer has sent no longer than maxOwed.
const (
	uselessPause = 2 * time.Millisecond
	uselessMany  = 64
	maxPause     = time.Second
	maxOwed      = 10 * time.Second
	forgetHalf   = 30 * time.Second
)

// slowDown counts a useless message of the account, and returns how long its sender is to wait.
func (p *pace) slowDown(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.useless, p.uselessAt = 1+p.uselessNow(now), now
	return min(uselessPause*time.Duration(1+p.useless/uselessMany), maxPause)
}

// uselessNow returns what is left of useless. p.mu must be held.
func (p *pace) uselessNow(now time.Time) float64 {
	return p.useless * math.Exp2(-max(0, now.Sub(p.uselessAt).Seconds())/forgetHalf.Seconds())
}

// SlowDown has the next messages of a peer wait, because it has sent a useless one: 2 ms at first, and up to a second
// where more and more useless ones come from its account. Many may have come by the time one is found to be useless,
// so the waits add up, to ten seconds at most: a good worker may have sent many results of a run that the sink has
// forgotten. Other peers do not wait, even of the same account.
func (s *Pull) SlowDown(id PeerID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(id)
	if p == nil {
		return
	}
	pause := uselessPause
	if p.pace != nil {
		pause = p.pace.slowDown(time.Now())
	}
	if over := p.pause.Add(int64(pause)) - int64(maxOwed); over > 0 {
		p.pause.Add(-over)
	}
}

// keepPace waits until p and its account may send another message.
func (p *peer) keepPace() error {
	wait := min(time.Duration(p.pause.Load()), maxPause)
	if wait > 0 {
		p.pause.Add(-int64(wait))
	}
	if p.pace != nil {
		wait = max(wait, p.pace.take(time.Now()))
	}
	if wait == 0 {
		return nil
	}
	if now := p.age(); now >= p.heartbeat.paused { // its own PINGs are behind the message that waits
		p.heartbeat.paused = now + p.beatBlocked()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		p.touch()
		return nil
	case <-p.ctx.Done():
		return p.reason()
	}
}
