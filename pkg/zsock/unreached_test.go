package zsock

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestUnreachedEndpointsSayWhyAndSinceWhen(t *testing.T) {
	inBubble(t, func(b *bubble) {
		push := newIn(b, NewPush, Config{})
		start := time.Now()
		mustDial(b, push, "inproc://later")
		time.Sleep(time.Second)
		errs := push.Unreached()
		if len(errs) != 1 || !errs[0].Since.Equal(start) ||
			errs[0].Error() != "cannot reach inproc://later: connection refused" {
			b.Fatalf("before anybody listens: %v", errs)
		}
		pull := newIn(b, NewPull, Config{})
		mustListen(b, pull, "inproc://later")
		time.Sleep(10 * time.Second)
		if errs := push.Unreached(); len(errs) != 0 {
			b.Errorf("connected: %v", errs)
		}
		if err := pull.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		lost := time.Now()
		time.Sleep(time.Minute)
		errs = push.Unreached()
		if len(errs) != 1 || errs[0].Since.Before(lost) || errs[0].Since.After(lost.Add(time.Second)) {
			b.Errorf("after the peer was lost at %v: %v", lost, errs)
		}
	})
}

// unreachedOf returns what a socket says of an endpoint, a second after the peer there began to answer by handle.
func unreachedOf(b *bubble, handle func(net.Conn)) error {
	b.Helper()
	b.serve("other", handle)
	push := newIn(b, NewPush, Config{})
	mustDial(b, push, "inproc://other")
	time.Sleep(time.Second)
	synctest.Wait()
	errs := push.Unreached()
	if len(errs) != 1 {
		b.Fatalf("the socket says %v", errs)
	}
	return errs[0]
}

func TestUnreachedEndpointOfAnotherProtocolSaysSo(t *testing.T) {
	inBubble(t, func(b *bubble) {
		err := unreachedOf(b, func(conn net.Conn) {
			// A server answers what it has read. One that closes at once may be gone before the socket writes its
			// greeting.
			_, _ = io.ReadFull(conn, make([]byte, greetingSize))
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n"))
		})
		if !strings.Contains(err.Error(), "not a ZeroMQ peer") {
			b.Errorf("the socket says %v", err)
		}
	})
}

func TestUnreachedEndpointThatClosesAtOnceHintsAtTLS(t *testing.T) {
	inBubble(t, func(b *bubble) {
		err := unreachedOf(b, func(conn net.Conn) { _, _ = io.ReadFull(conn, make([]byte, greetingSize)) })
		if !errors.Is(err, ErrUngreeted) || !strings.Contains(err.Error(), "give --tls") {
			b.Errorf("the socket says %v", err)
		}
	})
}

func TestAPeerThatSpeaksTLSIsRecognised(t *testing.T) {
	err := new(link).checkGreeting(0, 0x16)
	if !errors.Is(err, ErrProtocol) || !strings.Contains(err.Error(), "--tls") {
		t.Errorf("the first byte of TLS: %v", err)
	}
}
