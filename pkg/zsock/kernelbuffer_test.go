//go:build unix

package zsock

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"
)

// receiveBuffer returns the size of a connection's receive buffer in the kernel, in bytes.
func receiveBuffer(t *testing.T, conn net.Conn) (size int) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var optErr error
	if err := raw.Control(func(fd uintptr) {
		size, optErr = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF)
	}); err != nil || optErr != nil {
		t.Fatal(err, optErr)
	}
	return size
}

// The transport sets the kernel's buffers, so that a transport that wraps its connections need not reach through them.
func TestTransportsSetKernelBuffersOfBothEnds(t *testing.T) {
	for _, text := range []string{"tcp://127.0.0.1:0", "ipc://" + filepath.Join(t.TempDir(), "s")} {
		e, err := parseEndpoint(text, true)
		if err != nil {
			t.Fatal(err)
		}
		via, err := Network{}.transport(e)
		if err != nil {
			t.Fatal(err)
		}
		const asked = 16 << 10
		l, bound, err := via.listen(t.Context(), e, asked)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if e, err = parseEndpoint(bound, false); err != nil {
			t.Fatal(err)
		}
		ours, err := via.dial(t.Context(), e.address, asked)
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Close()
		theirs, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer theirs.Close()
		for _, conn := range []net.Conn{ours, theirs} {
			if size := receiveBuffer(t, conn); size != asked && size != 2*asked { // Linux doubles it
				t.Errorf("%s: a receive buffer of %d bytes, not %d", text, size, asked)
			}
		}
	}
}
