package zsock

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	hostileMax   = 1 << 20               // MaxMessage of the sockets under attack
	hostileHeap  = 24 << 20              // what an attack may make them hold
	servedWithin = 2 * time.Second       // a good peer during each attack
	hostileTrick = 20 * time.Millisecond // between the bytes of a slow-loris
)

// attack is what one hostile peer does with one connection; it ends when the connection breaks. kind is the socket type
// that gets it through the handshake.
type attack struct {
	name  string
	peers int  // at once; 0: one
	once  bool // stay on one connection; else connect again as soon as it ends
	run   func(c net.Conn, kind string)
}

func say(c net.Conn, parts ...[]byte) bool {
	for _, p := range parts {
		if _, err := c.Write(p); err != nil {
			return false
		}
	}
	return true
}

// hang keeps the connection, reading and ignoring everything, until it is closed.
func hang(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// freeze keeps the connection without reading, until the test closes it.
func freeze(c net.Conn) {
	for {
		if _, err := c.(*hostileConn).ctxWait(); err != nil {
			return
		}
	}
}

func trickle(c net.Conn, b []byte) {
	for i := range b {
		if !say(c, b[i:i+1]) || !c.(*hostileConn).pause(hostileTrick) {
			return
		}
	}
}

func shaken(c net.Conn, kind string) bool {
	return say(c, greetingBytes("NULL"), commandFrame("READY", readyBody(kind)))
}

func forever(c net.Conn, b []byte) {
	b = bytes.Repeat(b, 1+(16<<10)/len(b))
	for say(c, b) {
	}
}

// says is an attack that sends some bytes and then hangs on.
func says(parts ...[]byte) func(net.Conn, string) {
	return func(c net.Conn, _ string) {
		say(c, parts...)
		hang(c)
	}
}

// saysReady is an attack that sends a right greeting, and some bytes for READY.
func saysReady(parts ...[]byte) func(net.Conn, string) {
	return says(append([][]byte{greetingBytes("NULL")}, parts...)...)
}

// afterReady is an attack that shakes hands rightly and then sends some bytes.
func afterReady(parts ...[]byte) func(net.Conn, string) {
	return func(c net.Conn, kind string) {
		if shaken(c, kind) {
			say(c, parts...)
		}
		hang(c)
	}
}

func afterReadyForever(b []byte) func(net.Conn, string) {
	return func(c net.Conn, kind string) {
		if shaken(c, kind) {
			forever(c, b)
		}
	}
}

func withByte(b []byte, at int, v byte) []byte {
	b = bytes.Clone(b)
	b[at] = v
	return b
}

func reset(c net.Conn) {
	_ = c.(*hostileConn).Conn.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func subscriptionFlood(frame func(i int) []byte) func(net.Conn, string) {
	return func(c net.Conn, kind string) {
		if !shaken(c, kind) {
			return
		}
		for i := 0; ; i++ {
			if !say(c, frame(i)) {
				return
			}
		}
	}
}

func manyProperties(n int) (body []byte) {
	for i := range n {
		body = appendProperty(body, fmt.Sprintf("X-%d", i), "")
	}
	return append(body, readyBody("PUSH")...)
}

func garbage() []byte {
	b := make([]byte, 4096)
	_, _ = rand.Read(b)
	return b
}

func attacks() []attack {
	greeting := greetingBytes("NULL")
	ready := func(body []byte) []byte { return commandFrame("READY", body) }
	return []attack{
		// The greeting.
		{name: "says nothing", peers: 40, run: says()},
		{name: "connects and closes", peers: 4, run: func(net.Conn, string) {}},
		{name: "connects and resets", peers: 4, run: func(c net.Conn, _ string) { reset(c) }},
		{name: "half a greeting", peers: 40, run: says(greeting[:32])},
		{name: "half a greeting, then resets", peers: 4, run: func(c net.Conn, _ string) { say(c, greeting[:40]); reset(c) }},
		{name: "greeting byte by byte", peers: 40, run: func(c net.Conn, _ string) { trickle(c, greeting) }},
		{name: "random bytes", run: func(c net.Conn, _ string) { say(c, garbage()); hang(c) }},
		{name: "zeros for ever", run: func(c net.Conn, _ string) { forever(c, []byte{0}) }},
		{name: "0xFF for ever", run: func(c net.Conn, _ string) { forever(c, []byte{0xFF}) }},
		{name: "HTTP", run: says([]byte("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))},
		{name: "TLS", run: says([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}, garbage())},
		{name: "a wrong end of the signature", run: says(withByte(greeting, 9, 0))},
		{name: "ZMTP 1", run: says([]byte{1, 0}, []byte{5, 0, 'h', 'e', 'l', 'o'})},
		{name: "ZMTP 2", run: says(withByte(greeting, 10, 1)[:12])},
		{name: "ZMTP 2 to the end", run: says(withByte(greeting, 10, 2))},
		{name: "mechanism PLAIN", run: says(greetingBytes("PLAIN"))},
		{name: "mechanism CURVE", run: says(greetingBytes("CURVE"))},
		{name: "mechanism garbage", run: says(greetingBytes("NULL\x00\xff\xfe"))},
		{name: "as-server 7", run: says(withByte(greeting, 32, 7))},
		// READY.
		{name: "greeting, then nothing", peers: 40, run: says(greeting)},
		{name: "a message instead of READY", run: saysReady(frameBytes(0, []byte("hello")))},
		{name: "READY without a type", run: saysReady(ready(nil))},
		{name: "READY with an unknown type", run: saysReady(ready(readyBody("TEAPOT")))},
		{name: "READY with an empty type", run: saysReady(ready(readyBody("")))},
		{name: "READY as DISH", run: saysReady(ready(readyBody("DISH")))},
		{name: "READY as PAIR", run: saysReady(ready(readyBody("PAIR")))},
		{name: "READY in lower case", run: saysReady(ready(readyBody("push")))},
		{name: "READY cut in a name", run: saysReady(ready([]byte{200, 'S', 'o'}))},
		{name: "READY cut before a size", run: saysReady(ready([]byte{2, 'S', 'o', 0}))},
		{name: "READY cut in a value", run: saysReady(ready(readyBody("PUSH")[:18]))},
		{name: "READY with a value of 2^32-1", run: saysReady(ready([]byte{1, 'a', 255, 255, 255, 255, 0}))},
		{name: "READY with a property twice", run: saysReady(ready(append(readyBody("PUSH"), readyBody("PULL")...)))},
		{name: "READY with 300 properties", run: saysReady(ready(manyProperties(300)))},
		{name: "READY with an identity of 300", run: saysReady(ready(appendProperty(nil, "Identity",
			strings.Repeat("i", 300))))},
		{name: "READY of 1 MB", run: saysReady(ready(make([]byte, 1<<20)))},
		{name: "READY of 2^40", run: saysReady(longHeader(flagCommand, 1<<40))},
		{name: "READY of 2^62", run: saysReady(longHeader(flagCommand, 1<<62))},
		{name: "READY of 2^64-1", run: saysReady(longHeader(flagCommand, 1<<64-1))},
		{name: "READY of several frames", run: saysReady(frameBytes(flagCommand|flagMore, commandBytes("READY", nil)))},
		{name: "READY byte by byte", peers: 40, run: func(c net.Conn, kind string) {
			say(c, greeting)
			trickle(c, ready(readyBody(kind)))
			freeze(c)
		}},
		{name: "READY twice", run: func(c net.Conn, kind string) {
			shaken(c, kind)
			forever(c, ready(readyBody(kind)))
		}},
		{name: "ERROR", run: saysReady(commandFrame("ERROR", []byte("\x04no\n\x1b")))},
		{name: "ERROR with a wrong size", run: saysReady(commandFrame("ERROR", []byte("\xffno")))},
		{name: "INITIATE", run: saysReady(commandFrame("INITIATE", garbage()))},
		{name: "an empty command", run: saysReady([]byte{flagCommand, 0})},
		{name: "a command without a name", run: saysReady([]byte{flagCommand, 1, 0})},
		{name: "a command shorter than its name", run: saysReady([]byte{flagCommand, 2, 200, 'R'})},
		{name: "reserved flags", run: saysReady([]byte{0xF8, 1, 0})},
		// Messages.
		{name: "a frame of 2^40", run: afterReady(longHeader(0, 1<<40))},
		{name: "a frame of 2^62", run: afterReady(longHeader(0, 1<<62))},
		{name: "a frame of 2^64-1", run: afterReady(longHeader(0, 1<<64-1))},
		{name: "a second frame that overflows", run: afterReady(frameBytes(flagMore, []byte("x")), longHeader(0, 1<<64-1))},
		{name: "a byte too many", run: afterReady(longHeader(0, hostileMax+1))},
		{name: "announces the limit and sends nothing", peers: 50, run: afterReady(longHeader(0, hostileMax))},
		{name: "announces the limit and trickles", peers: 50, run: func(c net.Conn, kind string) {
			shaken(c, kind)
			say(c, longHeader(0, hostileMax))
			trickle(c, make([]byte, 1000))
		}},
		{name: "endless parts", run: afterReadyForever(frameBytes(flagMore, nil))},
		{name: "endless bytes in parts", run: afterReadyForever(frameBytes(flagMore, make([]byte, 200<<10)))},
		{name: "breaks within a frame", peers: 4, run: func(c net.Conn, kind string) {
			shaken(c, kind)
			say(c, longHeader(0, 1000), make([]byte, 500))
		}},
		{name: "resets within a frame", peers: 4, run: func(c net.Conn, kind string) {
			shaken(c, kind)
			say(c, longHeader(0, 1000), make([]byte, 500))
			reset(c)
		}},
		{name: "empty messages for ever", run: afterReadyForever(frameBytes(0, nil))},
		{name: "messages of 2 for ever", run: afterReadyForever(frameBytes(0, []byte{2, 2}))},
		{name: "only a delimiter", run: afterReady(frameBytes(0, nil))},
		{name: "an envelope without an end", run: afterReady(frameBytes(flagMore, []byte("a")), frameBytes(0, []byte("b")))},
		{name: "requests without reading the replies", once: true, run: func(c net.Conn, kind string) {
			if shaken(c, kind) {
				for say(c, frameBytes(flagMore, nil), frameBytes(0, make([]byte, 10000))) {
				}
			}
		}},
		// Commands.
		{name: "PING flood", run: afterReadyForever(commandFrame("PING", []byte{0, 0, 'c'}))},
		{name: "PING flood without reading", run: func(c net.Conn, kind string) {
			_ = c.(*hostileConn).Conn.(*net.TCPConn).SetReadBuffer(4096)
			afterReadyForever(commandFrame("PING", append([]byte{0, 0}, make([]byte, 16)...)))(c, kind)
		}},
		{name: "PONG flood", run: afterReadyForever(commandFrame("PONG", nil))},
		{name: "unknown commands for ever", run: afterReadyForever(commandFrame("TEAPOT", make([]byte, 4000)))},
		{name: "a PING without a time to live", run: afterReady(commandFrame("PING", nil))},
		{name: "a PING with a long context", run: afterReady(commandFrame("PING", make([]byte, 3000)))},
		{name: "a huge command", run: afterReady(commandFrame("PING", make([]byte, 1<<20)))},
		{name: "a command of 2^40", run: afterReady(longHeader(flagCommand, 1<<40))},
		{name: "a command of several frames", run: afterReady(frameBytes(flagCommand|flagMore, commandBytes("PONG", nil)))},
		{name: "ERROR after READY", run: afterReady(commandFrame("ERROR", []byte("\x02no")))},
		// Subscriptions.
		{name: "a huge subscription", run: afterReady(frameBytes(0, append([]byte{1}, make([]byte, hostileMax-1)...)))},
		{name: "subscription flood", run: subscriptionFlood(func(i int) []byte {
			return frameBytes(0, fmt.Appendf([]byte{1}, "topic-%d", i))
		})},
		{name: "flood of long subscriptions", run: subscriptionFlood(func(i int) []byte {
			return frameBytes(0, append(fmt.Appendf([]byte{1}, "topic-%d", i), make([]byte, 4000)...))
		})},
		{name: "SUBSCRIBE flood", run: subscriptionFlood(func(i int) []byte {
			return commandFrame("SUBSCRIBE", fmt.Appendf(nil, "topic-%d", i))
		})},
		{name: "cancels what it never asked for", run: subscriptionFlood(func(i int) []byte {
			return frameBytes(0, fmt.Appendf([]byte{0}, "topic-%d", i))
		})},
		{name: "subscribes and cancels for ever", run: subscriptionFlood(func(i int) []byte {
			return frameBytes(0, []byte{byte(1 - i%2), 'a'})
		})},
		// Connections.
		{name: "reads nothing", peers: 20, once: true, run: func(c net.Conn, kind string) {
			shaken(c, kind)
			if kind == "SUB" {
				say(c, frameBytes(0, []byte{1}))
			}
			freeze(c)
		}},
		{name: "shuts its sending side", peers: 20, run: func(c net.Conn, kind string) {
			shaken(c, kind)
			_ = c.(*hostileConn).Conn.(*net.TCPConn).CloseWrite()
			hang(c)
		}},
		{name: "comes and goes", peers: 8, run: func(c net.Conn, kind string) { shaken(c, kind) }},
		{name: "200 silent connections", peers: 200, once: true, run: func(c net.Conn, _ string) { freeze(c) }},
		{name: "200 greetings", peers: 200, once: true, run: func(c net.Conn, _ string) { say(c, greeting); freeze(c) }},
		{name: "a flood of connections", peers: 16, run: func(c net.Conn, _ string) { say(c, greeting[:10]) }},
	}
}

// hostileConn ends its waiting when the test ends the attack.
type hostileConn struct {
	net.Conn
	ctx context.Context
}

func (c *hostileConn) ctxWait() (struct{}, error) {
	<-c.ctx.Done()
	return struct{}{}, c.ctx.Err()
}

func (c *hostileConn) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-c.ctx.Done():
		return false
	}
}

// launch runs the attack until the function that it returns is called.
func (a attack) launch(bound, kind string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range max(a.peers, 1) {
		wg.Go(func() {
			for ctx.Err() == nil {
				conn, err := new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(bound, "tcp://"))
				if err != nil {
					continue
				}
				end := context.AfterFunc(ctx, func() { _ = conn.Close() })
				a.run(&hostileConn{conn, ctx}, kind)
				end()
				_ = conn.Close()
				if a.once {
					<-ctx.Done()
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

// TestHostilePeers: whatever a stranger sends, the process lives, its memory stays bounded, and a good peer is served.
func TestHostilePeers(t *testing.T) {
	for _, target := range attackedSockets() {
		t.Run(target.name, func(t *testing.T) {
			for _, a := range attacks() {
				t.Run(a.name, func(t *testing.T) { survive(t, target, a) })
			}
		})
	}
}

func survive(t *testing.T, target attacked, a attack) {
	before := heap()
	cfg := Config{
		MaxMessage: hostileMax, MaxHandshakes: 64, MaxPeers: 100, HandshakeTimeout: 10 * time.Second,
		RecvBytes: 4 << 20, SendBytes: 1 << 20, RecvHWM: 100, SendHWM: 100,
	}
	bound, good := target.open(t, cfg)
	stop := a.launch(bound, target.kind)
	defer stop()
	for range 3 { // while the attack goes on
		ctx, cancel := context.WithTimeout(context.Background(), servedWithin)
		err := good(ctx)
		cancel()
		if err != nil {
			t.Fatalf("a good peer was not served: %v", err)
		}
	}
	if grown := heap() - before; grown > hostileHeap {
		t.Errorf("the heap grew by %d MB", grown>>20)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
