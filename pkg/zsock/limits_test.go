package zsock

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSubscriptionsAreBounded(t *testing.T) {
	ev := newEvents()
	cfg := Config{MaxSubscriptions: 3, OnPeer: ev.on}
	pub, sub := opened(t, NewPub, cfg), opened(t, NewSub, cfg)
	var limitErr *LimitError
	for i := range 3 {
		if err := sub.Subscribe(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := sub.Subscribe("one more"); !errors.As(err, &limitErr) {
		t.Errorf("one more prefix: %v", err)
	}
	if err := sub.Subscribe("1"); err != nil {
		t.Errorf("the same again: %v", err)
	}
	_ = sub.Unsubscribe("2")
	if err := sub.Subscribe(strings.Repeat("x", maxPrefixBytes)); !errors.As(err, &limitErr) {
		t.Errorf("a long prefix: %v", err)
	}
	p := dialReady(t, mustListen(t, pub, "tcp://127.0.0.1:0"), "SUB")
	for i := range 4 {
		p.say(t, commandFrame("SUBSCRIBE", []byte(fmt.Sprint(i))))
	}
	if down := ev.wait(t, PeerDown); !errors.As(down.Err, &limitErr) {
		t.Errorf("dropped for %v", down.Err)
	}
	pub.mu.Lock()
	defer pub.mu.Unlock()
	if len(pub.topics.peers)+len(pub.topics.lengths)+len(pub.topics.count) > 0 {
		t.Errorf("left behind: %+v", pub.topics)
	}
}

func TestPeersAreBounded(t *testing.T) {
	ev := newEvents()
	pull := opened(t, NewPull, Config{MaxPeers: 2, OnPeer: ev.on})
	bound := mustListen(t, pull, "tcp://127.0.0.1:0")
	dialReady(t, bound, "PUSH")
	second := dialReady(t, bound, "PUSH")
	ev.wait(t, PeerUp)
	ev.wait(t, PeerUp)
	dialReady(t, bound, "PUSH").closed(t)
	var limitErr *LimitError
	if refused := ev.wait(t, PeerRefused); !errors.As(refused.Err, &limitErr) || limitErr.Max != 2 {
		t.Errorf("refused for %v", refused.Err)
	}
	_ = second.Close()
	ev.wait(t, PeerDown)
	dialReady(t, bound, "PUSH")
	if up := ev.wait(t, PeerUp); up.Peer.ID != 3 {
		t.Errorf("peer %d", up.Peer.ID)
	}
}

func TestConnectionsAreBoundedByTheNetwork(t *testing.T) {
	for most, want := range map[int][2]int{0: {1024, 128}, 1 << 20: {1024, 128}, 213: {160, 53}, 8: {6, 2}} {
		c := Config{Network: Network{MaxConns: most}}.withDefaults()
		if got := [2]int{c.MaxPeers, c.MaxHandshakes}; got != want {
			t.Errorf("of %d connections, %v for peers and handshakes, not %v", most, got, want)
		}
	}
	pull := opened(t, NewPull, Config{Network: Network{MaxConns: minConns}, HandshakeTimeout: time.Hour})
	bound := mustListen(t, pull, "tcp://127.0.0.1:0")
	var silent []*rawPeer
	for range minConns {
		silent = append(silent, dialRaw(t, bound))
	}
	for _, p := range silent[:minConns-minConns/4] {
		p.closed(t)
	}
}

func TestMessageLimitsAreExact(t *testing.T) {
	for name, c := range map[string]struct {
		frames []int
		ok     bool
	}{
		"all bytes in one":     {[]int{1000}, true},
		"all bytes in three":   {[]int{400, 300, 300}, true},
		"one byte too many":    {[]int{1001}, false},
		"one too many in two":  {[]int{1000, 1}, false},
		"all parts":            {[]int{1, 1, 1, 1}, true},
		"one part too many":    {[]int{0, 0, 0, 0, 0}, false},
		"empty after the last": {[]int{1000, 0}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ev := newEvents()
			pull := opened(t, NewPull, Config{MaxMessage: 1000, MaxParts: 4, OnPeer: ev.on})
			p := dialReady(t, mustListen(t, pull, "tcp://127.0.0.1:0"), "PUSH")
			for i, size := range c.frames {
				flags := byte(flagMore)
				if i == len(c.frames)-1 {
					flags = 0
				}
				p.say(t, frameBytes(flags, make([]byte, size)))
			}
			if c.ok {
				if m, err := pull.Recv(testContext(t)); err != nil || len(m) != len(c.frames) {
					t.Error(len(m), err)
				}
				return
			}
			var limitErr *LimitError
			if down := ev.wait(t, PeerDown); !errors.As(down.Err, &limitErr) {
				t.Errorf("dropped for %v", down.Err)
			}
		})
	}
}

func TestConfigIsValidated(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Identity":                    {Identity: strings.Repeat("x", 256)},
		"zero byte":                   {Identity: "\x00x"},
		"MaxMessage is -1":            {MaxMessage: -1},
		"SendHWM is -5":               {SendHWM: -5},
		"ReconnectMax 1s":             {ReconnectMin: 2 * time.Second, ReconnectMax: time.Second},
		"HeartbeatTimeout 1s":         {Network: Network{Heartbeat: 2 * time.Second, HeartbeatTimeout: time.Second}},
		"HandshakeTimeout is -1ns":    {HandshakeTimeout: -1},
		"HeartbeatTimeout is -1ns; i": {Network: Network{HeartbeatTimeout: -1}},
	} {
		if _, err := NewPull(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v; want %q in it", cfg, err, name)
		}
	}
	if err := (Config{Network: Network{Heartbeat: -1}}).Validate(); err != nil {
		t.Error(err)
	}
}
