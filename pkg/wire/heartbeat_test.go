package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestHeartbeatOfAWorkerThatHoldsMuchIsAnEventThatSubscribersTake(t *testing.T) {
	h := Heartbeat{Worker: strings.Repeat("w", 255)}
	for i := range MaxHeld {
		h.Held = append(h.Held, fmt.Sprintf("%0*d", MaxID, i))
	}
	b := h.Encode()
	if got, err := DecodeFromWorker(b); err != nil || len(got.Heartbeat.Held) != MaxHeld || len(b) > MaxEvent {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	h.Held[7] += "x"
	if _, err := DecodeFromWorker(h.Encode()); !errors.Is(err, ErrMalformed) {
		t.Errorf("a longer id: %v", err)
	}
}
