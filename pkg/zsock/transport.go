package zsock

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// transport makes the connections of one scheme of endpoints.
//
// Each connection's kernel buffers get kernelBuffer bytes; 0 means the system's size. A transport that wraps another's
// connections, as encryption does, leaves the buffers to the inner one: nobody can reach them through the wrapper.
type transport interface {
	// listen accepts connections on e, and returns e's text with the port that was chosen if e left it open.
	listen(ctx context.Context, e endpoint, kernelBuffer int) (l net.Listener, bound string, err error)
	// dial makes one connection to address, which is e's or one of those that its host name has.
	dial(ctx context.Context, address string, kernelBuffer int) (net.Conn, error)
}

var (
	_ transport = tcp{}
	_ transport = ipc{}
	_ transport = (*Inproc)(nil)
)

type tcp struct{}

func (tcp) listen(ctx context.Context, e endpoint, kernelBuffer int) (net.Listener, string, error) {
	network, host := "tcp", e.host
	if host == "*" {
		host = ""
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
		network = "tcp4" // 0.0.0.0 would otherwise listen on IPv6 too
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, net.JoinHostPort(host, e.port))
	if err != nil {
		return nil, "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return bufferedListener{l, kernelBuffer}, e.scheme + "://" + net.JoinHostPort(e.host, port), nil
}

func (tcp) dial(ctx context.Context, address string, kernelBuffer int) (net.Conn, error) {
	return dialKernel(ctx, "tcp", address, kernelBuffer)
}

type ipc struct{}

func (ipc) listen(ctx context.Context, e endpoint, kernelBuffer int) (net.Listener, string, error) {
	l, err := ListenUnix(ctx, e.address)
	if err != nil {
		return nil, "", err
	}
	return bufferedListener{l, kernelBuffer}, e.text, nil
}

// ListenUnix listens on a path. It takes the path over from a process that died without removing it.
func ListenUnix(ctx context.Context, path string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	conn, dialErr := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if dialErr == nil {
		_ = conn.Close()
		return nil, err
	}
	if !errors.Is(dialErr, syscall.ECONNREFUSED) {
		return nil, err
	}
	if removeErr := os.Remove(path); removeErr != nil {
		return nil, errors.Join(err, removeErr)
	}
	return new(net.ListenConfig).Listen(ctx, "unix", path)
}

func (ipc) dial(ctx context.Context, address string, kernelBuffer int) (net.Conn, error) {
	return dialKernel(ctx, "unix", address, kernelBuffer)
}

func dialKernel(ctx context.Context, network, address string, kernelBuffer int) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	setKernelBuffer(conn, kernelBuffer)
	return conn, nil
}

// bufferedListener sets the kernel buffers of each connection that it accepts.
type bufferedListener struct {
	net.Listener
	kernelBuffer int
}

func (l bufferedListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	setKernelBuffer(conn, l.kernelBuffer)
	return conn, nil
}

// setKernelBuffer sets the kernel buffers of a connection. A system that refuses the size leaves the connection usable.
func setKernelBuffer(conn net.Conn, size int) {
	type buffered interface {
		SetReadBuffer(int) error
		SetWriteBuffer(int) error
	}
	if c, ok := conn.(buffered); ok && size > 0 {
		_ = c.SetReadBuffer(size)
		_ = c.SetWriteBuffer(size)
	}
}
