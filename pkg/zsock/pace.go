package zsock

import (
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

// forgetPaces forgets, when there are many, those accounts that have no peer and a full burst again. Until then a
// client gains nothing by connecting again. socket.mu must be held.
func (s *socket) forgetPaces(now time.Time) {
	if len(s.paces) < 2*s.cfg.MaxPeers {
		return
	}
	for account, p := range s.paces {
		p.mu.Lock()
		if p.peers == 0 && now.Sub(p.at) > 2*time.Second {
			delete(s.paces, account)
		}
		p.mu.Unlock()
	}
}

// maxPause bounds how long a peer's next message waits for what Pull.Pause has asked for.
const maxPause = time.Second

// Pause has the peer's next message wait for d longer, and a second at most, because it sends what is of no use. The
// peer's other messages wait with it, and with the sender; those of other peers do not, even from the same address.
func (s *Pull) Pause(id PeerID, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.find(id); p != nil {
		p.pause.Add(int64(min(d, maxPause)))
	}
}

// keepPace waits until p and its account may send another message.
func (p *peer) keepPace() error {
	wait := time.Duration(0)
	if p.pause.Load() != 0 {
		wait = min(time.Duration(p.pause.Swap(0)), maxPause)
	}
	if p.pace != nil {
		wait = max(wait, p.pace.take(time.Now()))
	}
	if wait == 0 {
		return nil
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
