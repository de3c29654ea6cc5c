package zsock

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// rawPeer speaks ZMTP by hand, right or wrong.
type rawPeer struct {
	net.Conn
}

// dialRaw connects to a bound endpoint without saying anything.
func dialRaw(t testing.TB, bound string) *rawPeer {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(bound, "tcp://"), limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &rawPeer{conn}
}

// dialReady connects and shakes hands as that kind of socket.
func dialReady(t testing.TB, bound, kind string) *rawPeer {
	t.Helper()
	p := dialRaw(t, bound)
	p.say(t, greetingBytes("NULL"), commandFrame("READY", readyBody(kind)))
	p.hear(t, greetingSize)
	flags, body := p.frame(t)
	if flags&flagCommand == 0 || !strings.HasPrefix(string(body), "\x05READY") {
		t.Fatalf("got flags %#x and %q instead of READY", flags, body)
	}
	return p
}

func (p *rawPeer) say(t testing.TB, parts ...[]byte) {
	t.Helper()
	_ = p.SetWriteDeadline(time.Now().Add(limit))
	for _, b := range parts {
		if _, err := p.Write(b); err != nil {
			t.Fatal(err)
		}
	}
}

func (p *rawPeer) hear(t testing.TB, n int) []byte {
	t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(limit))
	b := make([]byte, n)
	if _, err := io.ReadFull(p, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// frame reads one frame.
func (p *rawPeer) frame(t testing.TB) (flags byte, body []byte) {
	t.Helper()
	h := p.hear(t, 2)
	n := uint64(h[1])
	if h[0]&flagLong != 0 {
		n = binary.BigEndian.Uint64(append(h[1:2], p.hear(t, 7)...))
	}
	return h[0], p.hear(t, int(n))
}

// message reads frames up to the next message's end, leaving out commands.
func (p *rawPeer) message(t testing.TB) (m Message) {
	t.Helper()
	for {
		flags, body := p.frame(t)
		if flags&flagCommand != 0 {
			continue
		}
		if m = append(m, body); flags&flagMore == 0 {
			return m
		}
	}
}

// command reads frames up to the next command, leaving out messages.
func (p *rawPeer) command(t testing.TB) (name string, body []byte) {
	t.Helper()
	for {
		flags, b := p.frame(t)
		if flags&flagCommand == 0 {
			continue
		}
		name, body, err := parseCommand(b)
		if err != nil {
			t.Fatal(err)
		}
		return name, body
	}
}

// closed waits until the other side has closed the connection.
func (p *rawPeer) closed(t testing.TB) {
	t.Helper()
	_ = p.SetReadDeadline(time.Now().Add(limit))
	if _, err := io.Copy(io.Discard, p); err != nil && strings.Contains(err.Error(), "timeout") {
		t.Fatal("the connection was not closed")
	}
}

func greetingBytes(mechanism string) []byte {
	g := make([]byte, greetingSize)
	g[0], g[9], g[10] = 0xFF, 0x7F, 3
	copy(g[12:32], mechanism)
	return g
}

func readyBody(kind string) []byte { return appendProperty(nil, propertyType, kind) }

func commandBytes(name string, body []byte) []byte {
	return append(append([]byte{byte(len(name))}, name...), body...)
}

func commandFrame(name string, body []byte) []byte {
	return frameBytes(flagCommand, commandBytes(name, body))
}

func frameBytes(flags byte, body []byte) []byte {
	if len(body) > 255 {
		return append(longHeader(flags, uint64(len(body))), body...)
	}
	return append([]byte{flags, byte(len(body))}, body...)
}

func longHeader(flags byte, size uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{flags | flagLong}, size)
}
