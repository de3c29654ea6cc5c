package zsock

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// endpoint is a parsed endpoint:
//
//	tcp://HOST:PORT   HOST is a name, an address, or (to listen) * for all interfaces; PORT may be 0 or * to listen
//	tls://HOST:PORT   the same inside TLS, see Security
//	ipc://PATH        a Unix socket; @NAME is in Linux's abstract namespace
//	inproc://NAME     within the Network.Inproc that both sides share
type endpoint struct {
	text    string // as given
	scheme  string
	address string // what follows ://
	host    string // tcp, tls
	port    string // tcp, tls
}

func parseEndpoint(text string, listen bool) (endpoint, error) {
	e := endpoint{text: text}
	var ok bool
	if e.scheme, e.address, ok = strings.Cut(text, "://"); !ok {
		return e, fmt.Errorf("zsock: endpoint %q has no scheme; "+
			"write tcp://host:port, tls://host:port, ipc://path or inproc://name", text)
	}
	if e.address == "" {
		return e, fmt.Errorf("zsock: endpoint %q names nothing after %s://", text, e.scheme)
	}
	switch e.scheme {
	case "tcp", "tls":
		return e.splitHostPort(listen)
	case "ipc", "inproc":
		return e, nil
	}
	return e, fmt.Errorf("zsock: endpoint %q: scheme %q is none of tcp, tls, ipc and inproc", text, e.scheme)
}

func (e endpoint) splitHostPort(listen bool) (endpoint, error) {
	var err error
	if e.host, e.port, err = net.SplitHostPort(e.address); err != nil {
		return e, fmt.Errorf("zsock: endpoint %q: %w", e.text, err)
	}
	if listen && e.port == "*" {
		e.port = "0"
	}
	port, err := strconv.ParseUint(e.port, 10, 16)
	if err != nil {
		return e, fmt.Errorf("zsock: endpoint %q: port %q is no number up to 65535", e.text, e.port)
	}
	if !listen && (e.host == "" || e.host == "*" || port == 0) {
		return e, fmt.Errorf("zsock: endpoint %q: a host and a port are needed to dial", e.text)
	}
	return e, nil
}
