package zsock

import (
	"context"
	"io"
	"net"
	"testing"
)

// wrapped hides what a connection can do beyond net.Conn, as encryption does, and counts the calls that write.
type wrapped struct {
	net.Conn
	writes int
}

func (w *wrapped) Write(p []byte) (int, error) {
	w.writes++
	return w.Conn.Write(p)
}

func TestWrappedConnectionGetsManyFramesInOneWrite(t *testing.T) {
	ours, theirs := newPipe(inprocAddr("wrapped"), 1<<20)
	conn := &wrapped{Conn: ours}
	l := newLink(conn)
	const messages, size = 20, 10 << 10 // each body is beyond gatherCopy
	for range messages {
		l.writeMessage(Message{make([]byte, size)})
	}
	if n, err := l.flush(); err != nil || n != messages*(size+9) {
		t.Fatal(n, err)
	}
	if conn.writes != 1 {
		t.Errorf("%d messages went out in %d writes", messages, conn.writes)
	}
	ours.Close()
	if got, err := io.ReadAll(theirs); err != nil || len(got) != messages*(size+9) {
		t.Errorf("%d bytes arrived, %v", len(got), err)
	}
}

// hidden is a transport whose connections are wrapped, as those of an encrypting transport will be.
type hidden struct{ transport }

func (h hidden) dial(ctx context.Context, address string, kernelBuffer int) (net.Conn, error) {
	conn, err := h.transport.dial(ctx, address, kernelBuffer)
	if err != nil {
		return nil, err
	}
	return &wrapped{Conn: conn}, nil
}

func TestSocketsWorkOverWrappedConnections(t *testing.T) {
	pull := opened(t, NewPull, Config{})
	bound, err := pull.Listen("tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	push := opened(t, NewPush, Config{KernelBuffer: 16 << 10})
	e, err := parseEndpoint(bound, false)
	if err != nil {
		t.Fatal(err)
	}
	push.wg.Go(func() { push.dial(e, hidden{tcp{}}, &target{address: e.address}) })
	for _, size := range []int{0, 1, 300, 100 << 10, 900 << 10} {
		if err := push.Send(t.Context(), Message{make([]byte, size)}); err != nil {
			t.Fatal(err)
		}
		m, err := pull.Recv(t.Context())
		if err != nil || len(m) != 1 || len(m[0]) != size {
			t.Fatalf("of %d bytes arrived %d frames, %v", size, len(m), err)
		}
	}
}
