package zsock

import (
	"errors"
	"slices"
	"time"
)

// While readers wait for memory, every reader that holds some must receive slowestReceive bytes in each receiveWindow.
const (
	receiveWindow  = 5 * time.Second
	slowestReceive = 320 << 10
)

var errSlowReceive = errors.New("zsock: peer sends its message too slowly while others wait for memory")

// receiving is a socket's budget for messages that have begun to arrive. A reader reserves a frame's bytes before it
// allocates them. Messages up to readAhead bytes need no reservation. An account may hold half of the budget, or one
// message. Guarded by socket.mu.
type receiving struct {
	max       int64
	bytes     int64
	byAccount map[string]int64
	holders   []*peer        // peers with reservations
	waiting   []*reservation // first come, first served
	sweeper   *time.Timer    // runs while readers wait
}

// reservation is what a reader waits for.
type reservation struct {
	peer    *peer
	size    int64
	granted bool
}

// reserve waits until there is room for a frame of so many bytes. The peer's reader calls it.
func (p *peer) reserve(size uint64) error {
	s, r := p.socket, &reservation{peer: p, size: int64(size)}
	s.mu.Lock()
	s.receiving.waiting = append(s.receiving.waiting, r)
	s.grantMemory()
	s.mu.Unlock()
	return p.await(func() *signal {
		if r.granted {
			return nil
		}
		return &p.turn
	})
}

// unreserve gives back what p has reserved. The peer's reader calls it after each message and at its end.
func (p *peer) unreserve() {
	s := p.socket
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := &s.receiving
	rs.waiting = slices.DeleteFunc(rs.waiting, func(r *reservation) bool { return r.peer == p })
	if p.reserved > 0 {
		rs.bytes -= p.reserved
		if rs.byAccount[p.account] -= p.reserved; rs.byAccount[p.account] == 0 {
			delete(rs.byAccount, p.account)
		}
		rs.holders = slices.DeleteFunc(rs.holders, func(q *peer) bool { return q == p })
		p.reserved = 0
	}
	s.grantMemory()
}

// grantMemory grants the reservations that fit. One that only its account's share keeps waiting holds up no other
// account. socket.mu must be held.
func (s *socket) grantMemory() {
	rs := &s.receiving
	kept := rs.waiting[:0]
	for i, r := range rs.waiting {
		if rs.bytes > 0 && rs.bytes+r.size > rs.max {
			kept = append(kept, rs.waiting[i:]...)
			break
		}
		account := r.peer.account
		if has := rs.byAccount[account]; account != "" && has > 0 && has+r.size > rs.max/2 {
			kept = append(kept, r)
			continue
		}
		s.grant(r)
	}
	clear(rs.waiting[len(kept):])
	if rs.waiting = kept; len(kept) > 0 && rs.sweeper == nil && !s.cutting {
		rs.sweeper = time.AfterFunc(time.Second, s.sweepReceivers)
	}
}

func (s *socket) grant(r *reservation) {
	rs, p := &s.receiving, r.peer
	rs.bytes += r.size
	if rs.byAccount == nil {
		rs.byAccount = make(map[string]int64)
	}
	rs.byAccount[p.account] += r.size
	if p.reserved == 0 {
		rs.holders = append(rs.holders, p)
		p.windowStart, p.windowBytes = p.age(), p.link.arrived.Load()
	}
	p.reserved += r.size
	r.granted = true
	p.turn.broadcast()
}

// sweepReceivers drops the peers that hold memory, receive too slowly, and keep other readers waiting.
func (s *socket) sweepReceivers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := &s.receiving
	if len(rs.waiting) == 0 || s.cutting {
		rs.sweeper = nil
		return
	}
	for _, p := range rs.holders {
		if p.age()-p.windowStart < receiveWindow {
			continue
		}
		arrived := p.link.arrived.Load()
		if arrived-p.windowBytes < slowestReceive {
			p.cut(errSlowReceive)
		}
		p.windowStart, p.windowBytes = p.age(), arrived
	}
	rs.sweeper.Reset(time.Second)
}
