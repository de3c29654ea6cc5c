package zsock

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
)

// maxPongs is how many unsent PONGs are kept for a peer. Only the last PINGs of a flood are answered.
const maxPongs = 4

// heartbeat is the state of a peer's liveness checks. The peer's reader owns all but knows.
type heartbeat struct {
	knows    atomic.Bool   // it understands PING
	answers  bool          // it has sent a PING or PONG: from then on its silence means something
	lastPing time.Duration // after since
	interval time.Duration // between its last two PINGs
	paused   time.Duration // after since: when to PING next if it has to wait by then
}

func (p *peer) age() time.Duration { return time.Since(p.since) }

func (p *peer) touch() { p.seen.Store(int64(p.age())) }

func (p *peer) silence() time.Duration { return p.age() - time.Duration(p.seen.Load()) }

// pinged answers a PING.
func (p *peer) pinged(context []byte) {
	h := &p.heartbeat
	now := p.age()
	if h.lastPing > 0 {
		h.interval = now - h.lastPing
	}
	h.lastPing = now
	h.answers = true
	h.knows.Store(true)
	pong := append([]byte(nil), context...)
	p.socket.mu.Lock()
	if len(p.pongs) == maxPongs {
		p.pongs = append(p.pongs[:0], p.pongs[1:]...)
	}
	p.pongs = append(p.pongs, pong)
	p.wakeWriter()
	p.socket.mu.Unlock()
}

func (p *peer) ponged() {
	p.heartbeat.answers = true
	p.heartbeat.knows.Store(true)
}

func (p *peer) ping() {
	p.socket.mu.Lock()
	p.pings = 1
	p.wakeWriter()
	p.socket.mu.Unlock()
}

// pingBody is a PING's body without context. Its time to live is zero, none: a peer receives PINGs only while it is
// silent, so our silence must not count against us.
func pingBody() []byte { return binary.BigEndian.AppendUint16(nil, 0) }

// beat is called by the reader when the peer has been silent for as long as the last call returned.
func (p *peer) beat() (next time.Duration, err error) {
	cfg := &p.socket.cfg
	silence := p.silence()
	left := cfg.Network.HeartbeatTimeout - silence
	watched := p.heartbeat.answers || p.link.midway
	if watched && left <= 0 {
		return 0, fmt.Errorf("%w: nothing for %v", ErrSilent, silence.Round(time.Millisecond))
	}
	if silence < cfg.Network.Heartbeat {
		next = cfg.Network.Heartbeat - silence
	} else {
		next = cfg.Network.Heartbeat
		if p.heartbeat.knows.Load() {
			p.ping()
		}
	}
	if left > 0 {
		next = min(next, left)
	}
	return next, nil
}

// beatBlocked is called by a reader that has stopped reading because the queue is full. The peer's silence is then
// our doing. It sends PINGs so that the peer does not drop us, even where our own heartbeats are off.
func (p *peer) beatBlocked() (next time.Duration) {
	if p.heartbeat.knows.Load() {
		p.ping()
	}
	next = p.socket.cfg.Network.Heartbeat
	if next <= 0 {
		next = time.Second
	}
	if i := p.heartbeat.interval; i > 0 {
		next = min(next, max(i/2, 10*time.Millisecond))
	}
	return next
}

// await blocks the reader until ready, which it calls with socket.mu held, returns nil instead of a signal to wait for.
func (p *peer) await(ready func() *signal) error {
	s := p.socket
	var tick <-chan time.Time
	var timer *time.Timer
	for waited := false; ; waited = true {
		s.mu.Lock()
		changed := ready()
		if changed == nil {
			s.mu.Unlock()
			if waited {
				p.touch()
			}
			return nil
		}
		ch := changed.wait()
		s.mu.Unlock()
		if timer == nil && (s.cfg.Network.Heartbeat > 0 || p.heartbeat.answers) {
			timer = time.NewTimer(p.beatBlocked())
			defer timer.Stop()
			tick = timer.C
		}
		select {
		case <-ch:
		case <-p.ctx.Done():
			return p.reason()
		case <-tick:
			timer.Reset(p.beatBlocked())
		}
	}
}
