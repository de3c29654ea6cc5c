package zsock

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// A peer of another protocol comes again several times a second, always for the same reason.
const (
	refusalPeriod = time.Minute // in which a RefusalLog logs one reason once for each address
	maxRefusals   = 1000        // reasons of addresses that are remembered
)

// RefusalLog logs PeerRefused events. That a peer does not keep to ZMTP, or guesses passwords, is logged once a minute
// for each address and reason, with the number of suppressed lines. The zero value is ready. It is safe for concurrent
// use.
type RefusalLog struct {
	mu         sync.Mutex
	logged     map[[2]string]time.Time // by address and reason
	suppressed int
}

// Log logs ev to log, unless it did so within the last minute.
func (r *RefusalLog) Log(log *slog.Logger, ev PeerEvent) {
	ok, suppressed := true, 0
	if errors.Is(ev.Err, ErrProtocol) || errors.Is(ev.Err, ErrGuessing) {
		ok, suppressed = r.allow(ev.Peer.Remote, ev.Err.Error(), time.Now())
	}
	if ok {
		log.Warn("refused a connection", "from", ev.Peer.Remote, "why", ev.Err, "suppressed", suppressed)
	}
}

func (r *RefusalLog) allow(remote, why string, now time.Time) (ok bool, suppressed int) {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		remote = host
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := [2]string{remote, why}
	if at, there := r.logged[key]; there && now.Sub(at) < refusalPeriod {
		r.suppressed++
		return false, 0
	}
	if len(r.logged) >= maxRefusals {
		for k, at := range r.logged {
			if now.Sub(at) >= refusalPeriod {
				delete(r.logged, k)
			}
		}
	}
	if len(r.logged) >= maxRefusals {
		r.suppressed++
		return false, 0
	}
	if r.logged == nil {
		r.logged = make(map[[2]string]time.Time)
	}
	r.logged[key] = now
	suppressed, r.suppressed = r.suppressed, 0
	return true, suppressed
}
