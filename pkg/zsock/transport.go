package zsock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// listen makes the listener of an endpoint, and returns the endpoint with its real port.
func (s *socket) listen(e endpoint) (net.Listener, string, error) {
	switch e.scheme {
	case "tcp":
		network, host := "tcp", e.host
		if host == "*" {
			host = ""
		}
		if ip := net.ParseIP(host); ip != nil && ip.To4() != nil {
			network = "tcp4" // 0.0.0.0 would otherwise listen on IPv6 too
		}
		l, err := new(net.ListenConfig).Listen(s.ctx, network, net.JoinHostPort(host, e.port))
		if err != nil {
			return nil, "", fmt.Errorf("zsock: listen on %s: %w", e.text, err)
		}
		_, port, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return nil, "", errors.Join(err, l.Close())
		}
		return l, "tcp://" + net.JoinHostPort(e.host, port), nil
	case "ipc":
		l, err := listenUnix(e.address)
		if err != nil {
			return nil, "", fmt.Errorf("zsock: listen on %s: %w", e.text, err)
		}
		return l, e.text, nil
	default:
		if s.cfg.Inproc == nil {
			return nil, "", fmt.Errorf("zsock: listen on %s: Config.Inproc is nil", e.text)
		}
		l, err := s.cfg.Inproc.listen(e.address, s.cfg.KernelBuffer)
		return l, e.text, err
	}
}

// listenUnix listens on a path, taking it over from a process that died without removing it.
func listenUnix(path string) (net.Listener, error) {
	l, err := net.Listen("unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return l, err
	}
	conn, dialErr := net.DialTimeout("unix", path, time.Second)
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
	return net.Listen("unix", path)
}

// connect dials one address of an endpoint.
func (s *socket) connect(ctx context.Context, e endpoint, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.HandshakeTimeout)
	defer cancel()
	switch e.scheme {
	case "tcp":
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	case "ipc":
		return new(net.Dialer).DialContext(ctx, "unix", address)
	default:
		return s.cfg.Inproc.dial(ctx, address)
	}
}

// setKernelBuffer sets the kernel's buffers of a connection. That it cannot is no reason to do without the peer.
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
