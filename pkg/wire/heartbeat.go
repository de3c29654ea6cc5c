package wire

import (
	"fmt"
	"strconv"
	"strings"
)

// DefaultPrefetch returns how many unsettled tasks a worker may hold by default. Workers send results in batches.
// When a batch goes out, one task for each slot and two more are still queued, so that no slot idles until the next
// tasks come.
func DefaultPrefetch(slots int) int { return 3*slots + 4 }

// Heartbeat is a worker's report about itself, a msgpack map. A worker sends it to the sink once a second and when
// something changes; the sink publishes it, and ventilators extend the leases of the tasks that it lists.
type Heartbeat struct {
	Worker   string   `msgpack:"worker" json:"worker"`
	Slots    int      `msgpack:"slots" json:"slots"`
	Busy     int      `msgpack:"busy" json:"busy"` // slots at work
	Held     []string `msgpack:"held,omitempty" json:"-"`
	Returned []string `msgpack:"returned,omitempty" json:"-"` // tasks that a draining worker received and will not begin
	Draining bool     `msgpack:"draining,omitempty" json:"draining"`
	Done     uint64   `msgpack:"done" json:"done"` // tasks since the worker started, by outcome
	Rejected uint64   `msgpack:"rejected" json:"rejected"`
	Failed   uint64   `msgpack:"failed" json:"failed"`
	// Sum over the slots of the time without a task since the worker started, microseconds
	IdleUS int64 `msgpack:"idle" json:"idle_us"`
	UpUS   int64 `msgpack:"up" json:"up_us"` // time since the worker started, microseconds
	// Proof, in events of the sink, is WorkerIdentity.Proof of the connection that brought the heartbeat. A ventilator
	// believes the heartbeat only of a worker that announced the same token to it.
	Proof string `msgpack:"proof,omitempty" json:"-"`
}

func (h *Heartbeat) check() error {
	switch {
	case h.Worker == "" || len(h.Worker) > MaxWorkerName:
		return malformed("a heartbeat needs the worker's name, at most 255 bytes")
	case h.Slots < 0 || h.Busy < 0:
		return malformed("a heartbeat with a negative count")
	case len(h.Held)+len(h.Returned) > MaxHeld:
		return malformed("a heartbeat with %d held and %d returned tasks", len(h.Held), len(h.Returned))
	}
	for _, ids := range [][]string{h.Held, h.Returned} {
		for _, id := range ids {
			if len(id) > MaxID {
				return malformed("a heartbeat with a task's id of %d bytes", len(id))
			}
		}
	}
	return nil
}

// Encode returns h as a message.
func (h *Heartbeat) Encode() []byte { return marshal(h) }

// WorkerIdentity is a worker's ZMTP identity, such as "imagefarm/1 slots=2 prefetch=4 name=host-1234". It tells the
// ventilator with the handshake how many tasks the worker may hold. A peer without it is a stranger.
type WorkerIdentity struct {
	Name     string
	Slots    int // concurrent transforms
	Prefetch int // unsettled tasks that the worker may hold
	// Token is random, and known to the worker's own ventilators and sink alone. It ties the two connections of a worker
	// together. Workers of earlier versions have none.
	Token string
	// References says that the worker fetches images to which tasks refer.
	References bool
}

const identityPrefix = "imagefarm/1 "

// String returns the identity as it is announced, at most 255 bytes.
func (w WorkerIdentity) String() string {
	token := ""
	if w.Token != "" {
		token = " token=" + w.Token
	}
	if w.References {
		token += " references=1"
	}
	s := fmt.Sprintf("%sslots=%d prefetch=%d%s name=%s", identityPrefix, w.Slots, w.Prefetch, token, w.Name)
	return s[:min(len(s), 255)]
}

// ParseWorkerIdentity reads an announced identity; ok is false for a stranger's.
func ParseWorkerIdentity(s string) (w WorkerIdentity, ok bool) {
	rest, ok := strings.CutPrefix(s, identityPrefix)
	if !ok {
		return WorkerIdentity{}, false
	}
	fields, name, ok := strings.Cut(rest, "name=")
	if !ok || name == "" {
		return WorkerIdentity{}, false
	}
	w.Name = name
	for _, f := range strings.Fields(fields) {
		key, value, _ := strings.Cut(f, "=")
		n, err := strconv.Atoi(value)
		valid := err == nil && n >= 1 && n <= MaxHeld
		switch key {
		case "slots":
			w.Slots = n
		case "prefetch":
			w.Prefetch = n
		case "references":
			w.References = true
		case "token":
			w.Token, valid = value, value != ""
		default:
			valid = true // of a later version
		}
		if !valid {
			return WorkerIdentity{}, false
		}
	}
	return w, w.Slots > 0 && w.Prefetch > 0
}
