package zsock

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPeersOfAnotherProtocolAreLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		log := slog.New(slog.NewTextHandler(&text, nil))
		var refusals RefusalLog
		refuse := func(remote string, err error) {
			refusals.Log(log, PeerEvent{Kind: PeerRefused, Err: err, Peer: PeerInfo{Remote: remote}})
		}
		for port := range 200 { // in 40 s
			refuse(fmt.Sprintf("192.0.2.1:%d", 1000+port), protocolError("it speaks TLS"))
			time.Sleep(200 * time.Millisecond)
		}
		if n := strings.Count(text.String(), "it speaks TLS"); n != 1 {
			t.Errorf("%d lines in 40 s", n)
		}
		refuse("192.0.2.2:1000", protocolError("it speaks TLS"))
		if !strings.Contains(text.String(), "from=192.0.2.2:1000") || !strings.Contains(text.String(), "suppressed=199") {
			t.Errorf("another address, and the lines before: %s", &text)
		}
		time.Sleep(time.Minute)
		refuse("192.0.2.1:1000", protocolError("it speaks TLS"))
		refuse("192.0.2.1:1000", errors.New("the token is wrong"))
		refuse("192.0.2.1:1000", errors.New("the token is wrong"))
		if n := strings.Count(text.String(), "it speaks TLS"); n != 3 {
			t.Errorf("%d lines a minute later", n)
		}
		if n := strings.Count(text.String(), "the token is wrong"); n != 2 {
			t.Errorf("%d of 2 lines of another reason", n)
		}
		for range 3 {
			refuse("192.0.2.1:1000", fmt.Errorf("refused: %w", ErrGuessing))
		}
		if n := strings.Count(text.String(), ErrGuessing.Error()); n != 1 {
			t.Errorf("%d lines of too many wrong passwords", n)
		}
		for i := range 3 * maxRefusals {
			refuse(fmt.Sprintf("198.51.100.%d:1", i), protocolError("flood"))
		}
		if n := strings.Count(text.String(), "flood"); n >= maxRefusals || len(refusals.logged) > maxRefusals {
			t.Errorf("%d lines of a flood, %d remembered", n, len(refusals.logged))
		}
	})
}
