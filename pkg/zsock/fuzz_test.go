package zsock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

// scriptConn is a connection whose peer says some bytes, in pieces, and hangs up.
type scriptConn struct {
	r     *bytes.Reader
	piece int
	wrote int
}

func (c *scriptConn) Read(p []byte) (int, error) {
	return c.r.Read(p[:min(len(p), c.piece)])
}

func (c *scriptConn) Write(p []byte) (int, error)      { c.wrote += len(p); return len(p), nil }
func (c *scriptConn) Close() error                     { return nil }
func (c *scriptConn) LocalAddr() net.Addr              { return inprocAddr("fuzz") }
func (c *scriptConn) RemoteAddr() net.Addr             { return inprocAddr("fuzz") }
func (c *scriptConn) SetDeadline(time.Time) error      { return nil }
func (c *scriptConn) SetReadDeadline(time.Time) error  { return nil }
func (c *scriptConn) SetWriteDeadline(time.Time) error { return nil }

// FuzzConnection feeds everything a peer may say, from the first byte of its greeting, through the whole way that a
// socket's reader takes. Nothing may panic, and no message may exceed the limits.
func FuzzConnection(f *testing.F) {
	const maxMessage, maxParts = 5000, 4
	good := append(greetingBytes("NULL"), commandFrame("READY", readyBody("PUSH"))...)
	for _, traffic := range [][]byte{
		nil,
		frameBytes(0, []byte("hello")),
		append(frameBytes(flagMore, []byte("a")), frameBytes(0, make([]byte, 300))...),
		append(commandFrame("PING", []byte("\x00\x01ctx")), frameBytes(0, nil)...),
		longHeader(0, 1<<62), longHeader(flagCommand, 1<<40), longHeader(flagMore, 5000),
		{0xF8, 0}, {flagCommand, 1, 9}, {flagCommand | flagMore, 0},
	} {
		f.Add(append(good[:len(good):len(good)], traffic...), uint8(3))
	}
	f.Add(greetingBytes("PLAIN"), uint8(200))
	f.Add([]byte("GET / HTTP/1.1\r\n"), uint8(1))
	f.Fuzz(func(t *testing.T, said []byte, piece uint8) {
		l := newLink(&scriptConn{r: bytes.NewReader(said), piece: int(piece) + 1})
		security := &nullSecurity{kind: zmq4.Pull}
		if _, err := zmq4.Open(l, security, zmq4.Pull, nil, false, nil); err != nil {
			return
		}
		if security.peer.kind != zmq4.Push {
			t.Fatalf("a %q shook hands with a PULL", security.peer.kind)
		}
		memory := &countingMemory{limit: maxMessage}
		l.startTraffic(maxMessage, maxParts, memory)
		l.onCommand = func(name string, body []byte) error {
			if name == zmq4.CmdPing {
				_, err := parsePing(body)
				return err
			}
			return nil
		}
		for {
			m, err := l.readMessage()
			if err != nil {
				if memory.frames != 0 || memory.tooLarge {
					t.Fatalf("%d frames were never given back; a frame beyond the limit: %v", memory.frames, memory.tooLarge)
				}
				return
			}
			if m.Size() > maxMessage || len(m) > maxParts || len(m) == 0 {
				t.Fatalf("a message of %d parts and %d bytes came through", len(m), m.Size())
			}
			memory.frames -= len(m)
		}
	})
}

// countingMemory counts the frames that are lent and neither received nor given back.
type countingMemory struct {
	limit    int
	frames   int
	tooLarge bool
}

func (c *countingMemory) Buffer(n int) []byte {
	c.frames++
	c.tooLarge = c.tooLarge || n > c.limit
	return make([]byte, n)
}

func (c *countingMemory) Release([]byte) { c.frames-- }

// FuzzReady checks that a READY which parses says the same when it is written again.
func FuzzReady(f *testing.F) {
	f.Add(readyBody("PUSH"))
	f.Add(appendProperty(appendProperty(readyBody("REQ"), "identity", "me"), "X-Heartbeat", "1"))
	f.Add([]byte{200, 'a'})
	f.Add([]byte{1, 'a', 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := parseReady(body)
		if err != nil {
			if r != (ready{}) {
				t.Fatalf("%+v returned with an error", r)
			}
			return
		}
		again := appendProperty(readyBody(string(r.kind)), propertyIdentity, r.identity)
		if r.heartbeat {
			again = appendProperty(again, propertyHeartbeat, "1")
		}
		if r2, err := parseReady(again); err != nil || r2 != r {
			t.Fatalf("%+v became %+v, %v", r, r2, err)
		}
	})
}

// FuzzCommand checks everything that commands and subscriptions carry.
func FuzzCommand(f *testing.F) {
	f.Add([]byte("\x04PING\x00\x00context"))
	f.Add([]byte("\x09SUBSCRIBEprefix"))
	f.Add([]byte("\x05ERROR\xffno"))
	f.Add([]byte{})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, frame []byte) {
		name, body, err := parseCommand(frame)
		if err == nil && !bytes.Equal(commandBytes(name, body), frame) {
			t.Fatalf("%q parsed as %q %q", frame, name, body)
		}
		if context, err := parsePing(body); err == nil && len(context) > maxPingContext {
			t.Fatalf("a context of %d bytes", len(context))
		}
		for _, c := range quoteError(body) {
			if c < ' ' || c > '~' && c < 0xA0 {
				t.Fatalf("%q is not safe to print", quoteError(body))
			}
		}
		if prefix, _, ok := parseSubscription(Message{frame}); ok && len(prefix) != len(frame)-1 {
			t.Fatalf("prefix %q of %q", prefix, frame)
		}
	})
}

// FuzzPipe checks that an inproc pipe passes on what is written to it, however it is cut in pieces.
func FuzzPipe(f *testing.F) {
	f.Add([]byte("some bytes"), uint8(3), uint8(5), uint8(4))
	f.Fuzz(func(t *testing.T, data []byte, buffer, out, in uint8) {
		data = data[:min(len(data), 2000)] // byte by byte, more is only slow
		a, b := newPipe(inprocAddr("fuzz"), int(buffer)+1)
		defer b.Close()
		go func() {
			for rest := data; len(rest) > 0; {
				n, err := a.Write(rest[:min(len(rest), int(out)+1)])
				if err != nil {
					t.Error(err)
					break
				}
				rest = rest[n:]
			}
			_ = a.Close()
		}()
		var got []byte
		piece := make([]byte, int(in)+1)
		for {
			n, err := b.Read(piece)
			got = append(got, piece[:n]...)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, data) {
			t.Fatalf("%q became %q", data, got)
		}
	})
}
