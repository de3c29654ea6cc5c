package zsock

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// passwords admits w1 with the password "secret", until revoked.
type passwords struct {
	expires time.Time
	revoked atomic.Bool
	account atomic.Pointer[string] // that the last password was charged to
}

var errWrongPassword = errors.New("the password is wrong")

func (p *passwords) Principal(user, password, account string) (Principal, error) {
	p.account.Store(&account)
	if user == "guesser" {
		return Principal{}, ErrGuessing
	}
	if user != "w1" || password != "secret" {
		return Principal{}, errWrongPassword
	}
	return Principal{Role: "worker", Name: user, Expires: p.expires}, nil
}

func (p *passwords) Check(Principal) error {
	if p.revoked.Load() || time.Now().After(p.expires) {
		return errors.New("the password has expired")
	}
	return nil
}

func hello(user, password string) []byte {
	body := append([]byte{byte(len(user))}, user...)
	return append(append(body, byte(len(password))), password...)
}

// plainSocket is a PULL that takes PLAIN, and what becomes of its peers.
func plainSocket(t *testing.T, p Passwords, roles ...string) (pull *Pull, bound string, ev *events) {
	t.Helper()
	ev = newEvents()
	pull = opened(t, NewPull, Config{Network: Network{Passwords: p}, PeerRoles: roles, OnPeer: ev.on})
	return pull, mustListen(t, pull, "tcp://127.0.0.1:0"), ev
}

func TestPlainProvesThePrincipal(t *testing.T) {
	p := &passwords{expires: time.Now().Add(time.Hour)}
	pull, bound, events := plainSocket(t, p, "worker")
	peer := dialRaw(t, bound)
	peer.say(t, greetingBytes("PLAIN"))
	if got := string(peer.hear(t, greetingSize)[12:17]); got != "PLAIN" {
		t.Fatalf("the greeting's mechanism is %q", got)
	}
	peer.say(t, commandFrame("HELLO", hello("w1", "secret")))
	if name, _ := peer.command(t); name != "WELCOME" {
		t.Fatal(name)
	}
	peer.say(t, commandFrame("INITIATE", readyBody("PUSH")))
	if name, _ := peer.command(t); name != "READY" {
		t.Fatal(name)
	}
	if ev := events.wait(t, PeerUp); ev.Peer.Principal.String() != "worker/w1" {
		t.Errorf("the peer is %s", ev.Peer.Principal)
	}
	if account := *p.account.Load(); account != "127.0.0.1" {
		t.Errorf("the password is charged to %q", account)
	}
	peer.say(t, []byte{0, 2, 'h', 'i'})
	if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != "hi" {
		t.Errorf("%q, %v", m, err)
	}

	dialReady(t, bound, "PUSH") // NULL is taken beside it, as nobody
	if ev := events.wait(t, PeerUp); ev.Peer.Principal.Role != "" {
		t.Errorf("who proved nothing is %s", ev.Peer.Principal)
	}
	p.revoked.Store(true)
	if ev := events.wait(t, PeerDown); ev.Peer.Principal.Name != "w1" {
		t.Errorf("%+v is dropped, whose password was not taken back", ev.Peer)
	}
}

func TestPlainThatProvesNothingIsRefused(t *testing.T) {
	p := &passwords{expires: time.Now().Add(time.Hour)}
	initiate := commandFrame("INITIATE", readyBody("PUSH"))
	right := commandFrame("HELLO", hello("w1", "secret"))
	for name, c := range map[string]struct {
		say  []byte
		want string
	}{
		"a wrong password":     {commandFrame("HELLO", hello("w1", "Secret")), errWrongPassword.Error()},
		"another's password":   {commandFrame("HELLO", hello("w2", "secret")), errWrongPassword.Error()},
		"no password":          {commandFrame("HELLO", hello("w1", "")), errWrongPassword.Error()},
		"an empty HELLO":       {commandFrame("HELLO", nil), "truncated"},
		"half a user":          {commandFrame("HELLO", []byte("\x05w1")), "truncated"},
		"half a password":      {commandFrame("HELLO", []byte("\x02w1\xffsecret")), "truncated"},
		"more than a HELLO":    {commandFrame("HELLO", append(hello("w1", "secret"), 0)), "after the password"},
		"INITIATE first":       {initiate, "instead of HELLO"},
		"READY first":          {commandFrame("READY", readyBody("PUSH")), "instead of HELLO"},
		"HELLO twice":          {slices.Concat(right, right), "instead of INITIATE"},
		"a message first":      {[]byte{0, 1, 'x'}, "a message before READY"},
		"a wrong type":         {slices.Concat(right, commandFrame("INITIATE", readyBody("SUB"))), "cannot talk"},
		"a truncated property": {slices.Concat(right, commandFrame("INITIATE", []byte{9})), "truncated property"},
	} {
		t.Run(name, func(t *testing.T) {
			_, bound, events := plainSocket(t, p)
			peer := dialRaw(t, bound)
			peer.say(t, greetingBytes("PLAIN"), c.say)
			if ev := events.wait(t, PeerRefused); !strings.Contains(ev.Err.Error(), c.want) ||
				strings.Contains(ev.Err.Error(), "ecret") {
				t.Errorf("refused because %v", ev.Err)
			}
			if _, err := io.Copy(io.Discard, peer); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Error(err)
			}
		})
	}
	_, bound, events := plainSocket(t, p, "operator")
	dialRaw(t, bound).say(t, greetingBytes("PLAIN"), right)
	if ev := events.wait(t, PeerRefused); !strings.Contains(ev.Err.Error(), "needs a role of [operator]") {
		t.Errorf("a worker at an operator's socket: %v", ev.Err)
	}
}

// An ERROR would have libzmq try no more.
func TestUncheckedPasswordIsNotAnsweredWithAnError(t *testing.T) {
	_, bound, events := plainSocket(t, &passwords{})
	peer := dialRaw(t, bound)
	peer.say(t, greetingBytes("PLAIN"), commandFrame("HELLO", hello("guesser", "secret")))
	peer.hear(t, greetingSize)
	if ev := events.wait(t, PeerRefused); !errors.Is(ev.Err, ErrGuessing) {
		t.Errorf("refused because %v", ev.Err)
	}
	if rest, err := io.ReadAll(peer); len(rest) > 0 || err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("it heard %q, %v", rest, err)
	}
}

// A password must never travel in the clear where others read it, nor to a socket that knows no passwords.
func TestPlainIsTakenWhereNobodyElseReadsIt(t *testing.T) {
	some := &passwords{}
	loopback, other := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}
	for _, c := range []struct {
		passwords Passwords
		conn      net.Conn
		want      bool
	}{
		{some, localConn{at: loopback}, true}, {some, localConn{at: &net.UnixAddr{}}, true}, {some, &secureConn{}, true},
		{some, localConn{at: other}, false}, {some, localConn{at: pipeAddr{}}, false},
		{nil, localConn{at: loopback}, false}, {nil, &secureConn{}, false},
	} {
		s := &socket{cfg: Config{Network: Network{Passwords: c.passwords}}}
		if got := s.takesPlain(c.conn); got != c.want {
			t.Errorf("%T %+v: %v", c.conn, c.conn, got)
		}
	}
	_, bound, events := plainSocket(t, nil)
	dialRaw(t, bound).say(t, greetingBytes("PLAIN"))
	if ev := events.wait(t, PeerRefused); !strings.Contains(ev.Err.Error(), "is not NULL") {
		t.Errorf("a socket without passwords: %v", ev.Err)
	}
}

// localConn is a connection at that local address.
type localConn struct {
	net.Conn
	at net.Addr
}

func (c localConn) LocalAddr() net.Addr { return c.at }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
