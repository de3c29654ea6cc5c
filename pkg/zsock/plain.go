package zsock

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"

	"github.com/go-zeromq/zmq4"
)

// Passwords authenticates peers that identify by ZMTP's PLAIN mechanism, as programs on libzmq do: they have no TLS.
// Its methods may be called from any goroutine.
type Passwords interface {
	// Principal returns whom a user's password proves. account says to whom a wrong one is charged: the peer's address, or
	// the certificate of the tunnel that it comes through; empty over ipc. An error refuses the peer. It must not hold the
	// password, and wraps ErrGuessing when it was not checked, because the account has given too many wrong ones: the peer
	// may try again. Programs on one machine share an account.
	Principal(user, password, account string) (Principal, error)
	// Check returns an error if the password of a connected peer has expired or was taken back. The peer is then dropped.
	Check(p Principal) error
}

// The mechanisms in a peer's greeting.
const (
	mechanismNull  = "NULL"
	mechanismPlain = "PLAIN"
)

// takesPlain reports whether a peer may identify by PLAIN on an accepted connection: inside TLS and on this machine,
// where nobody else reads its password.
func (s *socket) takesPlain(conn net.Conn) bool {
	if s.cfg.Network.Passwords == nil {
		return false
	}
	if _, ok := conn.(*secureConn); ok {
		return true
	}
	switch at := conn.LocalAddr().(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return at.IP.IsLoopback()
	}
	return false
}

// greetingStart is what all greetings of this package begin with: the signature and the version.
var greetingStart = [12]byte{0: 0xFF, 9: 0x7F, 10: 3}

// awaitMechanism reads the peer's greeting, without passing it on, and returns its mechanism. It sends the beginning of
// our greeting first: until libzmq has the version it does not tell its mechanism. Nothing else announces which
// mechanism a peer wants, and both ends must announce the same.
func (l *link) awaitMechanism() (mechanism string, err error) {
	defer func() { l.readErr = err }()
	if _, err := l.Conn.Write(greetingStart[:]); err != nil {
		return "", err
	}
	l.plain, l.sent = true, len(greetingStart)
	for have := 0; have < greetingSize; have++ {
		if err := l.fill(have + 1); err != nil {
			return "", err
		}
		if err := l.checkGreeting(have, l.buf[l.r+have]); err != nil {
			return "", err
		}
	}
	if l.mechanism == mechanismPlain[0] {
		return mechanismPlain, nil
	}
	return mechanismNull, nil
}

// plainSecurity is the server's side of ZMTP's PLAIN mechanism for one connection:
//
//	HELLO     user-size (1) user password-size (1) password   from the peer
//	WELCOME                                                   or ERROR
//	INITIATE  properties                                      from the peer
//	READY     properties
type plainSecurity struct {
	null  nullSecurity // what it announces of itself and gets to know of the peer
	admit func(user, password string) (Principal, error)
	flush func() (int64, error)

	refused error // why admit refused the peer
}

var _ zmq4.Security = (*plainSecurity)(nil)

func (*plainSecurity) Type() zmq4.SecurityType { return zmq4.PlainSecurity }

func (*plainSecurity) Encrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }

func (*plainSecurity) Decrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }

// Handshake authenticates the peer.
func (s *plainSecurity) Handshake(conn *zmq4.Conn, _ bool) error {
	hello, err := receiveCommand(conn, zmq4.CmdHello)
	if err != nil {
		return err
	}
	user, password, err := parseHello(hello)
	if err != nil {
		return err
	}
	principal, err := s.admit(user, password)
	if err != nil {
		if !errors.Is(err, ErrGuessing) {
			const reason = "400 access denied" // libzmq tries no more after a code of 400
			_ = conn.SendCmd(zmq4.CmdError, append([]byte{byte(len(reason))}, reason...))
			_, _ = s.flush() // the peer is refused in any case
		}
		s.refused = err
		return err
	}
	if err := conn.SendCmd(zmq4.CmdWelcome, nil); err != nil {
		return err
	}
	initiate, err := receiveCommand(conn, zmq4.CmdInitiate)
	if err != nil {
		return err
	}
	if err := s.null.take(conn, initiate); err != nil {
		return err
	}
	s.null.peer.principal = principal
	if err := conn.SendCmd(zmq4.CmdReady, s.null.properties()); err != nil {
		return err
	}
	_, err = s.flush()
	return err
}

func receiveCommand(conn *zmq4.Conn, name string) ([]byte, error) {
	cmd, err := conn.RecvCmd()
	if err != nil {
		return nil, err
	}
	if cmd.Name != name {
		return nil, protocolError("command %.32q instead of %s", cmd.Name, name)
	}
	return cmd.Body, nil
}

// parseHello reads the body of a HELLO.
func parseHello(p []byte) (user, password string, err error) {
	var fields [2]string
	for i := range fields {
		if len(p) == 0 || len(p) < 1+int(p[0]) {
			return "", "", protocolError("a truncated HELLO")
		}
		n := int(p[0])
		fields[i], p = string(p[1:1+n]), p[1+n:]
	}
	if len(p) > 0 {
		return "", "", protocolError("%d bytes after the password in HELLO", len(p))
	}
	return fields[0], fields[1], nil
}

// admitPlain returns whom a user's password proves, if this socket admits that role.
func (s *socket) admitPlain(user, password, account string) (Principal, error) {
	p, err := s.cfg.Network.Passwords.Principal(user, password, account)
	if errors.Is(err, ErrGuessing) {
		return Principal{}, err
	}
	if err != nil {
		return Principal{}, fmt.Errorf("zsock: PLAIN: %w", err)
	}
	if p.Role == "" {
		return Principal{}, errors.New("zsock: PLAIN: the password names no role")
	}
	if len(s.cfg.PeerRoles) > 0 && !slices.Contains(s.cfg.PeerRoles, p.Role) {
		return Principal{}, fmt.Errorf("zsock: %s may not connect here: its token needs a role of %v", p, s.cfg.PeerRoles)
	}
	return p, nil
}
