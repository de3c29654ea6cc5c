package zsock

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/go-zeromq/zmq4"
)

// The properties of a READY that are understood.
const (
	propertyType     = "Socket-Type"
	propertyIdentity = "Identity"
	// Every zsock sends this one: it understands PING, although zmq4 announces ZMTP 3.0.
	propertyHeartbeat = "X-Heartbeat"
)

const maxProperties = 32 // in a READY

// nullSecurity is ZMTP's NULL mechanism for one connection. Unlike zmq4's own it does not trust the peer.
type nullSecurity struct {
	kind     zmq4.SocketType // ours
	identity string          // ours
	peer     ready           // what the peer announced
}

// ready holds the properties of a peer's READY.
type ready struct {
	kind      zmq4.SocketType
	identity  string
	heartbeat bool      // it understands PING
	principal Principal // whom its certificate names, or its password proves

	certificate Principal // of the TLS connection; set by shakeHands
}

var _ zmq4.Security = (*nullSecurity)(nil)

func (*nullSecurity) Type() zmq4.SecurityType { return zmq4.NullSecurity }

func (*nullSecurity) Encrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }

func (*nullSecurity) Decrypt(w io.Writer, p []byte) (int, error) { return w.Write(p) }

// Handshake exchanges READY. It checks the socket type before it sets conn.Peer.Meta, because zmq4 panics on an
// unknown type.
func (s *nullSecurity) Handshake(conn *zmq4.Conn, _ bool) error {
	if err := conn.SendCmd(zmq4.CmdReady, s.properties()); err != nil {
		return err
	}
	cmd, err := conn.RecvCmd()
	if err != nil {
		return err
	}
	switch cmd.Name {
	case zmq4.CmdReady:
	case zmq4.CmdError:
		return protocolError("the peer refused us: %s", quoteError(cmd.Body))
	default:
		return protocolError("command %.32q instead of READY", cmd.Name)
	}
	return s.take(conn, cmd.Body)
}

// properties returns what this socket announces of itself.
func (s *nullSecurity) properties() (body []byte) {
	body = appendProperty(body, propertyType, string(s.kind))
	body = appendProperty(body, propertyIdentity, s.identity)
	return appendProperty(body, propertyHeartbeat, "1")
}

// take takes what the peer announces of itself.
func (s *nullSecurity) take(conn *zmq4.Conn, properties []byte) (err error) {
	if s.peer, err = parseReady(properties); err != nil {
		return err
	}
	if !compatible(s.kind, s.peer.kind) {
		return fmt.Errorf("%w: the peer is a %.16q, which cannot talk to a %s", ErrProtocol, string(s.peer.kind), s.kind)
	}
	conn.Peer.Meta[propertyType] = string(s.peer.kind)
	conn.Peer.Meta[propertyIdentity] = s.peer.identity
	return nil
}

// appendProperty appends
//
//	name-size (1)  name  value-size (4)  value
func appendProperty(b []byte, name, value string) []byte {
	b = append(b, byte(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

// parseReady reads the properties in the body of a READY. Case does not matter in their names. Unknown ones are
// ignored, and none may come twice.
func parseReady(p []byte) (ready, error) {
	var r ready
	seen := make(map[string]bool, 4)
	for len(p) > 0 {
		n := int(p[0])
		if n == 0 || len(p) < 1+n+4 {
			return ready{}, protocolError("a truncated property in READY")
		}
		name := string(p[1 : 1+n])
		size := binary.BigEndian.Uint32(p[1+n:])
		p = p[1+n+4:]
		if uint64(size) > uint64(len(p)) {
			return ready{}, protocolError("READY's property %.32q announces %d bytes and has %d", name, size, len(p))
		}
		value := string(p[:size])
		p = p[size:]
		key := strings.ToLower(name)
		if seen[key] {
			return ready{}, protocolError("READY has the property %.32q twice", name)
		}
		if seen[key] = true; len(seen) > maxProperties {
			return ready{}, &LimitError{What: "properties in READY", Max: maxProperties, Got: uint64(len(seen))}
		}
		switch key {
		case strings.ToLower(propertyType):
			r.kind = zmq4.SocketType(value)
		case strings.ToLower(propertyIdentity):
			if len(value) > 255 {
				return ready{}, &LimitError{What: "bytes of an identity", Max: 255, Got: uint64(len(value))}
			}
			r.identity = value
		case strings.ToLower(propertyHeartbeat):
			r.heartbeat = value == "1"
		}
	}
	if r.kind == "" {
		return ready{}, protocolError("READY names no socket type")
	}
	return r, nil
}

// compatible reports whether a socket of kind ours may talk to a peer of kind theirs.
func compatible(ours, peer zmq4.SocketType) bool {
	switch ours {
	case zmq4.Push:
		return peer == zmq4.Pull
	case zmq4.Pull:
		return peer == zmq4.Push
	case zmq4.Pub:
		return peer == zmq4.Sub || peer == zmq4.XSub
	case zmq4.Sub:
		return peer == zmq4.Pub || peer == zmq4.XPub
	case zmq4.Req:
		return peer == zmq4.Rep || peer == zmq4.Router
	case zmq4.Rep:
		return peer == zmq4.Req || peer == zmq4.Dealer
	}
	return false
}

// quoteError returns the reason in the body of an ERROR, safe to print: reason-size (1) reason.
func quoteError(body []byte) string {
	if len(body) > 0 && int(body[0]) < len(body) {
		body = body[1 : 1+int(body[0])]
	}
	return fmt.Sprintf("%.200q", body)
}
