package zsock

import (
	"errors"
	"time"
)

// How long a peer must have been idle before it can be evicted to make room for another one. An identity costs a
// stranger nothing, but an honest peer that has one expects to stay connected while there is little to do.
const (
	evictAnonymous  = time.Second
	evictIdentified = 30 * time.Second
)

// evictionWarnEvery is the shortest pause between two warnings that a socket evicts or refuses peers.
const evictionWarnEvery = time.Minute

var errEvicted = errors.New("zsock: evicted while idle, to make room for another peer")

// makeRoom makes room for p, if the socket or p's account has as many peers as it may have. It evicts the peer that has
// been idle longest: anonymous peers before identified ones, and those of the account with the most peers first. A peer
// with a certificate is evicted only for another peer of its principal. socket.mu must be held.
func (s *socket) makeRoom(p *peer) error {
	counts := make(map[string]int)
	total := 0
	for _, q := range s.peers {
		if !q.gone() {
			total++
			counts[q.account]++
		}
	}
	own := counts[p.account]
	ownFull := p.account != "" && own >= s.cfg.MaxPeersPerAddress
	if !ownFull && total < s.cfg.MaxPeers {
		return nil
	}
	var victim *peer
	for _, q := range s.peers {
		if q.gone() || ownFull && q.account != p.account || !q.evictableFor(p) {
			continue
		}
		if victim == nil || evictBefore(q, victim, counts) {
			victim = q
		}
	}
	if now := time.Now(); now.Sub(s.evictionWarned) >= evictionWarnEvery {
		s.evictionWarned = now
		s.log.Warn("too many peers; idle ones are evicted, further ones are refused", "endpoint", p.endpoint,
			"peers", total, "limit", s.cfg.MaxPeers, "account", p.account,
			"of account", own, "limit of account", s.cfg.MaxPeersPerAddress)
	}
	switch {
	case victim != nil:
		victim.cut(errEvicted)
		return nil
	case ownFull:
		return &LimitError{What: "peers of " + p.account, Max: uint64(s.cfg.MaxPeersPerAddress), Got: uint64(own + 1)}
	}
	return &LimitError{What: "peers", Max: uint64(s.cfg.MaxPeers), Got: uint64(total + 1)}
}

// evictableFor reports whether q has been idle for long enough to be evicted for p. socket.mu must be held.
func (q *peer) evictableFor(p *peer) bool {
	switch {
	case q.busy, q.principal.Role != "" && q.account != p.account:
		return false
	case q.identity != "" || q.principal.Role != "":
		return q.idle() >= evictIdentified
	}
	return q.idle() >= evictAnonymous
}

// evictBefore reports whether a is a better victim than b.
func evictBefore(a, b *peer, counts map[string]int) bool {
	if anonymous := a.identity == ""; anonymous != (b.identity == "") {
		return anonymous
	}
	if counts[a.account] != counts[b.account] {
		return counts[a.account] > counts[b.account]
	}
	return a.idle() > b.idle()
}

// idle returns for how long no message went either way. Commands and subscriptions do not count: they cost a stranger
// nothing.
func (p *peer) idle() time.Duration { return p.age() - time.Duration(p.active.Load()) }
