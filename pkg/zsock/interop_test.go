package zsock

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const python = "/usr/bin/python3"

var needLibzmq = sync.OnceValue(func() error {
	out, err := exec.Command(python, "-c", "import zmq").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s cannot import zmq (install python3-zmq): %w\n%s", python, err, out)
	}
	return nil
})

// libzmq is a peer in a process of its own; testdata/libzmq.py says what it understands.
type libzmq struct {
	t        testing.TB
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      *bufio.Scanner
	endpoint string
}

func startLibzmq(t testing.TB, kind, how, endpoint string, heartbeat time.Duration) *libzmq {
	t.Helper()
	if err := needLibzmq(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	p := &libzmq{t: t}
	p.cmd = exec.Command(python, "testdata/libzmq.py", kind, how, endpoint, fmt.Sprint(heartbeat.Milliseconds()))
	var stderr bytes.Buffer
	p.cmd.Stderr = &stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.in.Close()
		kill := time.AfterFunc(limit, func() { _ = p.cmd.Process.Kill() })
		defer kill.Stop()
		var exit *exec.ExitError
		if err := p.cmd.Wait(); err != nil && !(errors.As(err, &exit) && !exit.Exited()) {
			t.Errorf("libzmq peer: %v\n%s", err, &stderr)
		}
	})
	p.endpoint = p.answer()
	return p
}

func (p *libzmq) tell(format string, args ...any) {
	p.t.Helper()
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *libzmq) answer() string {
	p.t.Helper()
	kill := time.AfterFunc(limit, func() { _ = p.cmd.Process.Kill() })
	defer kill.Stop()
	if !p.out.Scan() {
		p.t.Fatalf("libzmq peer ended: %v", p.out.Err())
	}
	return p.out.Text()
}

func (p *libzmq) expect(want string) {
	p.t.Helper()
	if got := p.answer(); got != want {
		p.t.Fatalf("libzmq peer says %q, want %q", got, want)
	}
}

// pattern is the message that libzmq.py makes too.
func patternMessage(i, size, parts int) Message {
	m := make(Message, parts)
	for j := range m {
		m[j] = bytes.Repeat([]byte{byte((i*31 + j) % 251)}, size)
	}
	return m
}

func checkPattern(t *testing.T, m Message, i, size, parts int) {
	t.Helper()
	if !slices.EqualFunc(m, patternMessage(i, size, parts), bytes.Equal) {
		t.Fatalf("message %d of %d parts of %d bytes differs: %d parts, %d bytes", i, parts, size, len(m), m.Size())
	}
}

// batch is so many messages of so many parts of so many bytes.
type batch struct{ n, size, parts int }

func interopBatches() []batch {
	return []batch{
		{500, 10, 1}, {20, 0, 1}, {20, 0, 3}, {20, 255, 2}, {20, 256, 2}, {20, 8192, 3}, {10, 100_000, 4}, {3, 20 << 20, 1},
	}
}

// socketForInterop is what differs between the kinds: open returns a socket of ours and how it exchanges a batch.
type interopCase struct {
	theirs string
	open   func(t *testing.T, cfg Config) (s interopSocket, exchange func(p *libzmq, b batch))
}

type interopSocket interface {
	listener
	dialer
	Peers() []PeerInfo
}

// TestInteropWithLibzmq: each kind of socket, bound and connected, with libzmq's heartbeats on and messages of all
// sizes, before and after two idle seconds in which nobody must hang up.
func TestInteropWithLibzmq(t *testing.T) {
	const heartbeat = 100 * time.Millisecond
	for name, c := range interopCases() {
		for _, how := range []string{"bind", "connect"} {
			t.Run(name+", libzmq "+how+"s", func(t *testing.T) {
				t.Parallel()
				ev := newEvents()
				s, exchange := c.open(t, Config{
					Network:    Network{Heartbeat: 300 * time.Millisecond, HeartbeatTimeout: 5 * time.Second},
					MaxMessage: 32 << 20, RecvBytes: 64 << 20, OnPeer: ev.on,
				})
				var p *libzmq
				if how == "bind" {
					p = startLibzmq(t, c.theirs, how, "tcp://127.0.0.1:*", heartbeat)
					mustDial(t, s, p.endpoint)
				} else {
					p = startLibzmq(t, c.theirs, how, mustListen(t, s, "tcp://127.0.0.1:0"), heartbeat)
				}
				up := ev.wait(t, PeerUp)
				if want := map[bool]string{true: "libzmq-peer"}[c.theirs == "REQ"]; up.Peer.Identity != want {
					t.Errorf("identity %q, want %q", up.Peer.Identity, want)
				}
				for _, b := range interopBatches() {
					exchange(p, b)
				}
				<-time.After(2 * time.Second) // twenty of libzmq's heartbeats: the time itself is what is tested
				exchange(p, batch{10, 1000, 2})
				p.tell("disconnects")
				p.expect("0")
				if peers := s.Peers(); len(peers) != 1 || peers[0].ID != up.Peer.ID {
					t.Errorf("the peer did not stay: %+v", peers)
				}
			})
		}
	}
}

func interopCases() map[string]interopCase {
	return map[string]interopCase{
		"PUSH": {"PULL", func(t *testing.T, cfg Config) (interopSocket, func(*libzmq, batch)) {
			s := opened(t, NewPush, cfg)
			return s, func(p *libzmq, b batch) {
				p.tell("recv %d %d %d", b.n, b.size, b.parts)
				for i := range b.n {
					if err := s.Send(testContext(t), patternMessage(i, b.size, b.parts)); err != nil {
						t.Fatal(err)
					}
				}
				p.expect("received")
			}
		}},
		"PULL": {"PUSH", func(t *testing.T, cfg Config) (interopSocket, func(*libzmq, batch)) {
			s := opened(t, NewPull, cfg)
			return s, func(p *libzmq, b batch) {
				p.tell("send %d %d %d", b.n, b.size, b.parts)
				receiveBatch(t, s, b)
				p.expect("sent")
			}
		}},
		"PUB": {"SUB", func(t *testing.T, cfg Config) (interopSocket, func(*libzmq, batch)) {
			s := opened(t, NewPub, cfg)
			subscribed := false
			return s, func(p *libzmq, b batch) {
				if !subscribed {
					p.tell("sub ")
					p.expect("subscribed")
					awaitTopics(t, s, 1)
					subscribed = true
				}
				p.tell("recv %d %d %d", b.n, b.size, b.parts)
				for i := range b.n {
					if err := s.Publish(patternMessage(i, b.size, b.parts)); err != nil {
						t.Fatal(err)
					}
				}
				p.expect("received")
			}
		}},
		"SUB": {"PUB", func(t *testing.T, cfg Config) (interopSocket, func(*libzmq, batch)) {
			s := opened(t, NewSub, cfg)
			if err := s.Subscribe(""); err != nil {
				t.Fatal(err)
			}
			ready := false
			return s, func(p *libzmq, b batch) {
				for !ready { // a PUB does not tell when a subscription has reached it
					p.tell("send 1 0 1")
					p.expect("sent")
					ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
					_, err := s.Recv(ctx)
					cancel()
					ready = err == nil
				}
				p.tell("send %d %d %d", b.n, b.size, b.parts)
				receiveBatch(t, s, b)
				p.expect("sent")
			}
		}},
		"REQ": {"REP", func(t *testing.T, cfg Config) (interopSocket, func(*libzmq, batch)) {
			s := opened(t, NewReq, cfg)
			return s, func(p *libzmq, b batch) {
				p.tell("echo %d", b.n)
				for i := range b.n {
					m, err := s.Do(testContext(t), patternMessage(i, b.size, b.parts))
					if err != nil {
						t.Fatal(err)
					}
					checkPattern(t, m, i, b.size, b.parts)
				}
				p.expect("echoed")
			}
		}},
		"REP": {"REQ", func(t *testing.T, cfg Config) (interopSocket, func(*libzmq, batch)) {
			s := opened(t, NewRep, cfg)
			background(t, func(ctx context.Context) {
				_ = s.Serve(ctx, func(_ context.Context, req Message) Message { return req })
			})
			return s, func(p *libzmq, b batch) {
				p.tell("ask %d %d %d", b.n, b.size, b.parts)
				p.expect("answered")
			}
		}},
	}
}

func receiveBatch(t *testing.T, s interface {
	Recv(context.Context) (Message, error)
}, b batch) {
	t.Helper()
	for i := range b.n {
		m, err := s.Recv(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		checkPattern(t, m, i, b.size, b.parts)
	}
}

// TestLibzmqIsServedDuringAttacks: a good libzmq peer gets its replies while many kinds of hostile peer are at work.
func TestLibzmqIsServedDuringAttacks(t *testing.T) {
	rep := opened(t, NewRep, Config{MaxMessage: hostileMax, MaxPeers: 500})
	background(t, func(ctx context.Context) {
		_ = rep.Serve(ctx, func(_ context.Context, req Message) Message { return req })
	})
	bound := mustListen(t, rep, "tcp://127.0.0.1:0")
	for i, a := range attacks() {
		if i%8 == 0 { // some of each group: all at once would be a test of the scheduler
			a.peers = 1
			defer a.launch(bound, "REQ")()
		}
	}
	p := startLibzmq(t, "REQ", "connect", bound, 0)
	for range 5 {
		p.tell("ask 20 1000 2")
		p.expect("answered")
	}
}

// TestLibzmqStaysWhileWeAreFull: a PULL that does not read for a while is not taken for dead by libzmq's heartbeats.
func TestLibzmqStaysWhileWeAreFull(t *testing.T) {
	ev := newEvents()
	pull := opened(t, NewPull, Config{
		Network: Network{Heartbeat: 200 * time.Millisecond}, RecvHWM: 1, OnPeer: ev.on, KernelBuffer: 32 << 10,
	})
	p := startLibzmq(t, "PUSH", "connect", mustListen(t, pull, "tcp://127.0.0.1:0"), 100*time.Millisecond)
	p.tell("send 900 10000 1")
	p.expect("sent")
	ev.wait(t, PeerUp)
	<-time.After(3 * time.Second) // twice libzmq.py's timeout: the time itself is what is tested
	receiveBatch(t, pull, batch{900, 10000, 1})
	p.tell("disconnects")
	p.expect("0")
}

func TestLibzmqThatFreezesIsDropped(t *testing.T) {
	ev := newEvents()
	pull := opened(t, NewPull, Config{
		Network: Network{Heartbeat: 50 * time.Millisecond, HeartbeatTimeout: 300 * time.Millisecond}, OnPeer: ev.on,
	})
	p := startLibzmq(t, "PUSH", "connect", mustListen(t, pull, "tcp://127.0.0.1:0"), 0)
	p.tell("send 1 10 1")
	p.expect("sent")
	receiveBatch(t, pull, batch{1, 10, 1})
	await(t, "an answer to a PING", func() bool { // one that was not asked for by a message
		peers := pull.Peers()
		return len(peers) == 1 && peers[0].LastSeen.Sub(peers[0].Since) > 100*time.Millisecond
	})
	stopProcess(t, p.cmd.Process)
	if down := ev.wait(t, PeerDown); !errors.Is(down.Err, ErrSilent) {
		t.Errorf("dropped for %v", down.Err)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
}

// stopProcess freezes a process with all its threads.
func stopProcess(t testing.TB, p *os.Process) {
	t.Helper()
	out, err := exec.Command("kill", "-STOP", fmt.Sprint(p.Pid)).CombinedOutput()
	if err != nil {
		t.Fatal(err, strings.TrimSpace(string(out)))
	}
}
