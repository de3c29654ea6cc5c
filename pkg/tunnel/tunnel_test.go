package tunnel

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/pki"
)

const limit = 30 * time.Second

// testFarm is a farm that echoes what programs send to it.
type testFarm struct {
	net.Listener
	connections atomic.Int64
}

// member returns the credentials of a new member of the authority in dir.
func member(t *testing.T, dir, role string) *pki.Credentials {
	t.Helper()
	bundle, err := pki.Issue(dir, pki.Request{Role: role, Name: "test", Valid: time.Hour}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := pki.Open(pki.Config{Bundle: bundle})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newTunnel starts a farm and a tunnel to it, and returns the farm and a function that connects a program.
func newTunnel(t *testing.T, maxConns int) (farm *testFarm, connect func() net.Conn) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tls")
	if err := pki.Init(dir, "farm", time.Now()); err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", member(t, dir, pki.Sink).TLS())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	farm = &testFarm{Listener: l}
	go farm.echo()

	short, err := os.MkdirTemp("", "tunnel") // names of sockets are short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(short) })
	inside := filepath.Join(short, "in")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Config{
			Ways:     []Way{{From: "ipc://" + inside, To: "tls://" + l.Addr().String()}},
			Security: member(t, dir, pki.Tunnel), PeerRoles: []string{pki.Sink}, MaxConns: maxConns,
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return farm, func() net.Conn {
		t.Helper()
		for begun := time.Now(); ; time.Sleep(time.Millisecond) { // until the tunnel listens
			conn, err := net.Dial("unix", inside)
			if err == nil {
				t.Cleanup(func() { conn.Close() })
				_ = conn.SetDeadline(time.Now().Add(limit))
				return conn
			}
			if time.Since(begun) > limit {
				t.Fatal(err)
			}
		}
	}
}

func (f *testFarm) echo() {
	for {
		conn, err := f.Accept()
		if err != nil {
			return
		}
		f.connections.Add(1)
		go func() {
			defer conn.Close()
			_, _ = io.Copy(conn, conn)
		}()
	}
}

// Found: a thousand programs that connect and say nothing kept a program with a token waiting for 8.6 s, since the
// tunnel connected each of them to the farm.
func TestSilentProgramsTakeNoPlaces(t *testing.T) {
	farm, connect := newTunnel(t, 1)
	var silent []net.Conn
	for range 10 * minWaiting {
		silent = append(silent, connect())
	}
	program := connect()
	greeting := append([]byte{0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F}, "and all that follows"...)
	for _, part := range [][]byte{greeting[:3], greeting[3:12], greeting[12:]} {
		if _, err := program.Write(part); err != nil {
			t.Fatal(err)
		}
	}
	heard := make([]byte, len(greeting))
	if _, err := io.ReadFull(program, heard); err != nil || string(heard) != string(greeting) {
		t.Errorf("the program heard %q, %v", heard, err)
	}
	if n := farm.connections.Load(); n != 1 {
		t.Errorf("the farm has seen %d connections, want only that of the program", n)
	}
	if _, err := silent[0].Read(heard); !errors.Is(err, io.EOF) {
		t.Errorf("the first silent program heard %v, want that it was closed", err)
	}
}

func TestProgramsThatSpeakSomethingElseAreNotConnected(t *testing.T) {
	farm, connect := newTunnel(t, 1)
	for _, said := range []string{
		"GET / HTTP/1.1\r\nHost: farm\r\n\r\n", "\xFF\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\xFF",
	} {
		program := connect()
		if _, err := io.WriteString(program, said); err != nil {
			t.Fatal(err)
		}
		if err := program.(*net.UnixConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := program.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: it heard %v, want that it was closed", said, err)
		}
	}
	if n := farm.connections.Load(); n != 0 {
		t.Errorf("the farm has seen %d connections", n)
	}
}
