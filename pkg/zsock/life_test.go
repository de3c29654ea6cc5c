package zsock

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// childEnv makes this test binary a PULL that binds the endpoint in it and prints what it receives.
const childEnv = "ZSOCK_TEST_PULL"

func TestMain(m *testing.M) {
	if endpoint := os.Getenv(childEnv); endpoint != "" {
		if err := pullAndPrint(endpoint); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func pullAndPrint(endpoint string) error {
	pull, err := NewPull(Config{})
	if err != nil {
		return err
	}
	bound, err := pull.Listen(endpoint)
	if err != nil {
		return err
	}
	fmt.Println(bound)
	for {
		m, err := pull.Recv(context.Background())
		if err != nil {
			return err
		}
		fmt.Println(string(m[0]))
	}
}

// child is this test binary as a PULL in another process.
type child struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	bound string
}

func startChild(t *testing.T, endpoint string) *child {
	t.Helper()
	c := &child{cmd: exec.Command(os.Args[0])}
	c.cmd.Env = append(os.Environ(), childEnv+"="+endpoint)
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.lines = bufio.NewScanner(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.kill)
	c.bound = c.line(t)
	return c
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	stuck := time.AfterFunc(limit, c.kill)
	defer stuck.Stop()
	if !c.lines.Scan() {
		t.Fatal("the other process ended")
	}
	return c.lines.Text()
}

func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

func TestReconnectsAfterKill9(t *testing.T) {
	for _, endpoint := range []string{"tcp://127.0.0.1:0", "ipc://" + t.TempDir() + "/s"} {
		ev := newEvents()
		push := opened(t, NewPush, Config{ReconnectMin: 10 * time.Millisecond, OnPeer: ev.on})
		c := startChild(t, endpoint)
		mustDial(t, push, c.bound)
		for i := range 4 {
			ev.wait(t, PeerUp)
			if err := push.Send(testContext(t), text(fmt.Sprint("life ", i))); err != nil {
				t.Fatal(err)
			}
			if got := c.line(t); got != fmt.Sprint("life ", i) {
				t.Errorf("received %q", got)
			}
			c.kill()
			ev.wait(t, PeerDown)
			c = startChild(t, c.bound) // on ipc, over what the dead one left behind
		}
	}
}

func TestHundredReconnectsLeaveNothingOpen(t *testing.T) {
	ev := newEvents()
	push := opened(t, NewPush, Config{ReconnectMin: time.Millisecond, ReconnectMax: 2 * time.Millisecond, OnPeer: ev.on})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	mustDial(t, push, "tcp://"+l.Addr().String())
	before := -1
	for i := range 105 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		p := &rawPeer{conn}
		if i%3 > 0 { // every third breaks in the handshake
			p.say(t, greetingBytes("NULL"), commandFrame("READY", readyBody("PULL")))
			ev.wait(t, PeerUp)
			if i%3 == 2 {
				p.say(t, []byte{0xFF})
			}
		}
		_ = p.Close()
		if i == 4 {
			before = descriptors(t)
		}
	}
	if after := descriptors(t); after > before+3 {
		t.Errorf("%d descriptors after 5 connections, %d after 105", before, after)
	}
	if err := push.Close(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := goleak.Find(goleak.IgnoreCurrent()); err != nil {
		t.Error(err)
	}
}

func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("no /proc to count descriptors in")
	}
	return len(entries)
}

func TestCloseReportsWhatIsUnsent(t *testing.T) {
	push := opened(t, NewPush, Config{})
	ev := newEvents()
	push.cfg.OnPeer = ev.on
	p := dialReady(t, mustListen(t, push, "tcp://127.0.0.1:0"), "PULL") // never reads
	id := ev.wait(t, PeerUp).Peer.ID
	var wrote, lost int
	var mu sync.Mutex
	const n, size = 40, 1 << 20
	for i := range n {
		var err error
		if i%2 == 0 {
			err = push.Send(testContext(t), Message{make([]byte, size)})
		} else {
			err = push.SendTo(id, Message{make([]byte, size)}, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					wrote++
				} else {
					lost++
				}
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	err := push.Close(ctx)
	down := ev.wait(t, PeerDown)
	var unsent *UnsentError
	if !errors.As(err, &unsent) || unsent.Messages != n-int(down.Peer.Sent) ||
		unsent.Bytes != int64(unsent.Messages)*size {
		t.Fatalf("Close: %v; %d of %d messages were sent", err, down.Peer.Sent, n)
	}
	mu.Lock()
	defer mu.Unlock()
	if wrote+lost != n/2 {
		t.Errorf("%d written and %d lost of %d addressed messages", wrote, lost, n/2)
	}
	// The one that was on its way is lost, but not untouched.
	if d := lost - len(down.Unsent); d < 0 || d > 1 {
		t.Errorf("%d lost, %d untouched", lost, len(down.Unsent))
	}
	if !errors.Is(down.Err, ErrClosed) {
		t.Errorf("down for %v", down.Err)
	}
	if err := push.Close(context.Background()); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if err := push.Send(context.Background(), text("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
	p.closed(t)
}

func TestCloseWaitsForAPeerThatComesBack(t *testing.T) {
	inproc := NewInproc()
	cfg := Config{Network: Network{Inproc: inproc}, ReconnectMin: time.Millisecond, ReconnectMax: time.Millisecond}
	push := opened(t, NewPush, cfg)
	gone := opened(t, NewPull, cfg)
	mustListen(t, gone, "inproc://sink")
	mustDial(t, push, "inproc://sink")
	await(t, "the peer", func() bool { return len(push.Peers()) == 1 })
	_ = gone.Close(testContext(t))
	await(t, "the peer's end", func() bool { return len(push.Peers()) == 0 })
	push.mu.Lock() // as if it had been queued for the peer that went
	push.waiting = append(push.waiting, outgoing{msg: text("result"), size: 6})
	push.mu.Unlock()
	closed := make(chan error)
	go func() { closed <- push.Close(testContext(t)) }()
	await(t, "Close", func() bool { return errors.Is(push.Dial("inproc://x"), ErrClosed) })
	pull := opened(t, NewPull, cfg)
	mustListen(t, pull, "inproc://sink")
	if m, err := pull.Recv(testContext(t)); err != nil || string(m[0]) != "result" {
		t.Fatal(m, err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestCloseFreesWhoeverWaits(t *testing.T) {
	push, pull := opened(t, NewPush, Config{}), opened(t, NewPull, Config{})
	req, rep := opened(t, NewReq, Config{}), opened(t, NewRep, Config{})
	sub := opened(t, NewSub, Config{})
	ctx := testContext(t)
	calls := map[string]func() error{
		"Send": func() error { return push.Send(ctx, text("x")) },
		"Recv": func() error { _, err := pull.Recv(ctx); return err },
		"Do":   func() error { _, err := req.Do(ctx, text("x")); return err },
		"Serve": func() error {
			return rep.Serve(ctx, func(_ context.Context, m Message) Message { return m })
		},
		"Sub.Recv": func() error { _, err := sub.Recv(ctx); return err },
	}
	var wg sync.WaitGroup
	for name, call := range calls {
		wg.Go(func() {
			if err := call(); !errors.Is(err, ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for _, s := range []closer{push, pull, req, rep, sub} {
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

// errListener fails to accept as often as it has errors, and then passes on what the real one accepts.
type errListener struct {
	net.Listener
	errs []error
}

func (l *errListener) Accept() (net.Conn, error) {
	if len(l.errs) > 0 {
		err := l.errs[0]
		l.errs = l.errs[1:]
		return nil, err
	}
	return l.Listener.Accept()
}

func TestAcceptGoesOnWhenDescriptorsRanOut(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pull := opened(t, NewPull, Config{})
	l := &errListener{inner, []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED}}
	pull.mu.Lock()
	pull.listeners = append(pull.listeners, l)
	pull.wg.Go(func() { pull.accept(l, "tcp://test") })
	pull.mu.Unlock()
	dialReady(t, "tcp://"+inner.Addr().String(), "PUSH").say(t, frameBytes(0, []byte("x")))
	if _, err := pull.Recv(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func TestListenAddresses(t *testing.T) {
	for _, c := range []struct{ endpoint, prefix, dial string }{
		{"tcp://127.0.0.1:0", "tcp://127.0.0.1:", "127.0.0.1"},
		{"tcp://0.0.0.0:0", "tcp://0.0.0.0:", "127.0.0.1"},
		{"tcp://*:0", "tcp://*:", "127.0.0.1"},
		{"tcp://*:*", "tcp://*:", "localhost"},
		{"tcp://localhost:0", "tcp://localhost:", "localhost"},
	} {
		pull, push := opened(t, NewPull, Config{}), opened(t, NewPush, Config{})
		bound := mustListen(t, pull, c.endpoint)
		if !strings.HasPrefix(bound, c.prefix) || strings.HasSuffix(bound, ":0") {
			t.Errorf("%s is bound as %s", c.endpoint, bound)
		}
		_, port, _ := net.SplitHostPort(strings.TrimPrefix(bound, "tcp://"))
		mustDial(t, push, "tcp://"+c.dial+":"+port)
		if err := push.Send(testContext(t), text("x")); err != nil {
			t.Errorf("%s: %v", c.endpoint, err)
		}
		other := opened(t, NewPull, Config{})
		if _, err := other.Listen(bound); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("a second listener on %s: %v", bound, err)
		}
	}
}

func TestWrongEndpointsAreRefusedAtOnce(t *testing.T) {
	s := opened(t, NewPull, Config{})
	for _, e := range []string{"", "localhost:5557", "tcp://", "tcp://host", "tcp://host:x", "tcp://host:70000",
		"udp://127.0.0.1:1", "inproc://x", "inproc://", "ipc://", "tcp://*:5557", "tcp://host:0", "tcp://:1"} {
		if err := s.Dial(e); err == nil {
			t.Errorf("Dial(%q) succeeded", e)
		}
	}
	for _, e := range []string{"", "tcp://127.0.0.1", "tcp://127.0.0.1:-1", "inproc://x", "ipc:///nowhere/at/all",
		"x://y"} {
		if _, err := s.Listen(e); err == nil {
			t.Errorf("Listen(%q) succeeded", e)
		}
	}
}

// What the kernel has taken still arrives when the peer goes on talking while we close.
func TestCloseDoesNotCutOffWhatTheKernelTook(t *testing.T) {
	const size = 1 << 20
	push := opened(t, NewPush, Config{})
	ev := newEvents()
	push.cfg.OnPeer = ev.on
	p := dialReady(t, mustListen(t, push, "tcp://127.0.0.1:0"), "PULL")
	written := make(chan error, 1)
	err := push.SendTo(ev.wait(t, PeerUp).Peer.ID, Message{make([]byte, size)}, func(err error) { written <- err })
	if err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-written:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(time.Second):
		t.Skip("the kernel's buffers are too small for this test")
	}
	closed := make(chan error)
	go func() { closed <- push.Close(testContext(t)) }()
	p.hear(t, 9)
	for range size / 4096 {
		_, _ = p.Write(commandFrame("PING", []byte{0, 0})) // fails when it has been closed
		p.hear(t, 4096)
	}
	_ = p.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
