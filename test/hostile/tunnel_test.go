//go:build linux

package hostile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/access"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// peerOfLibzmq connects sockets of libzmq to tasks and results, sends a forged result, and prints each message it gets.
const peerOfLibzmq = `
import os, sys, zmq
tasks, results, user, secret = sys.argv[1:]
context = zmq.Context()
pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
for s in (pull, push):
    if user:
        s.plain_username, s.plain_password = user.encode(), secret.encode()
pull.connect(tasks)
push.connect(results)
push.setsockopt(zmq.LINGER, 0)
for _ in range(100):
    try:
        push.send(b"\xb6forged_thumbnail64.jpg", zmq.NOBLOCK)
    except zmq.Again: # it is not connected
        break
print("connected", flush=True)
while True:
    pull.recv()
    print("got a task", flush=True)
`

// python returns the interpreter, and skips the test where it lacks what the examples need, but not in CI.
func python(t *testing.T) string {
	t.Helper()
	const interpreter = "/usr/bin/python3"
	if out, err := exec.Command(interpreter, "-c", "import zmq, msgpack, PIL.Image").CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%v: %s", err, out)
		}
		t.Skipf("no Python with zmq, msgpack and PIL: %v", err)
	}
	return interpreter
}

func TestStrangersComeThroughATunnel(t *testing.T) {
	interpreter := python(t)
	f := newSecureFarm(t)
	file := filepath.Join(t.TempDir(), "tokens")
	good, viewer := token(t, f.Farm, file, "worker", "py"), token(t, f.Farm, file, "viewer", "anna")
	expired, line, err := access.Issue("worker", "old", time.Now().Add(-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(string(stored)+line.String()+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	sink := f.startSink("--tokens", file)
	inside := farmtest.New(t, programs, t.TempDir()) // whose host the tunnel has
	f.Start("tunnel", "farm", "tunnel", "--tls", f.member(f.dir, "tunnel", "studio"), "--bind", inside.Host,
		"--sink", f.Host, "--ventilator", f.Host, "--log-format", "json").Await("tunnel")
	ventilator := f.startVentilator("--tokens", file, album(t, 5))
	ventilator.Await("handing out tasks")

	bad := make(map[string]*farmtest.Process)
	join := func(what, tasks, results, user, secret string) {
		p := farmtest.Start(t, what, exec.Command(interpreter, "-c", peerOfLibzmq, tasks, results, user, secret))
		p.AwaitOutput("connected")
		bad[what] = p
	}
	plainly := func(endpoint string) string { return strings.Replace(endpoint, "tls:", "tcp:", 1) }
	join("no token", inside.Tasks, inside.Results, "", "")
	ventilator.Await("refused a connection", "why", "zsock: who comes by tunnel/studio must identify by PLAIN")
	join("a wrong token", inside.Tasks, inside.Results, "py", viewer)
	ventilator.Await("refused a connection", "why", "zsock: PLAIN: the token is wrong, expired or another's")
	join("an expired token", inside.Tasks, inside.Results, "old", expired)
	ventilator.AwaitNth(2, "refused a connection", "why", "zsock: PLAIN: the token is wrong, expired or another's")
	join("a viewer's token", inside.Tasks, inside.Results, "anna", viewer)
	ventilator.Await("refused a connection", "why",
		"zsock: viewer/anna may not connect here: its token needs a role of [worker]")
	join("no tunnel", plainly(f.Tasks), plainly(f.Results), "py", good)

	worker := exec.Command(interpreter, "-u", "../../examples/python/worker.py", "--echo", "--user", "py",
		"--tasks", inside.Tasks, "--results", inside.Results, "--out", f.Out)
	worker.Env = append(farmtest.Environ(), "IMAGEFARM_SECRET="+good)
	farmtest.Start(t, "worker.py", worker)
	ventilator.MustExit(0)
	for what, p := range bad {
		if strings.Contains(p.Output(), "got") {
			t.Errorf("with %s a stranger got a task", what)
		}
	}
	entries := f.entries()
	if len(entries) != 5 {
		t.Errorf("%d entries", len(entries))
	}
	for _, e := range entries {
		if e.Outcome != outcome.Done || e.Worker != "py" || e.Stranger {
			t.Errorf("the ledger says %+v", e)
		}
	}
	if strings.Contains(sink.Said()+ventilator.Said(), good) || strings.Contains(sink.Said()+ventilator.Said(), expired) {
		t.Error("a token is in a log")
	}
	sink.MustLive()
}

// identify says HELLO by PLAIN at an endpoint, and returns the first five letters of the command that answers it. They
// are empty if the other side closes instead: perhaps by a reset, which drops the greeting that came before it.
func identify(t *testing.T, endpoint, user, password string) string {
	t.Helper()
	conn := dialTCP(endpoint)
	if conn == nil {
		t.Fatalf("cannot connect to %s", endpoint)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(farmtest.Limit))
	greeting := make([]byte, 64)
	greeting[0], greeting[9], greeting[10] = 0xFF, 0x7F, 3
	copy(greeting[12:], "PLAIN")
	hello := append([]byte("\x05HELLO"), byte(len(user)))
	hello = append(append(append(hello, user...), byte(len(password))), password...)
	if _, err := conn.Write(append(append(greeting, 4, byte(len(hello))), hello...)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 64+3+5)) // a greeting and the header of a command before its name
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("it heard %q, %v", answer, err)
	}
	return string(answer[min(len(answer), 64+3):])
}

// Found: any number of passwords could be tried through a tunnel.
func TestGuessesThroughATunnelAreBounded(t *testing.T) {
	f := newSecureFarm(t)
	file := filepath.Join(t.TempDir(), "tokens")
	good := token(t, f.Farm, file, "worker", "py")
	sink := f.startSink("--tokens", file)
	results := make(map[string]string)
	for _, name := range []string{"studio", "attic"} {
		inside := farmtest.New(t, programs, t.TempDir())
		f.Start(name, "farm", "tunnel", "--tls", f.member(f.dir, "tunnel", name), "--bind", inside.Host,
			"--sink", f.Host, "--ventilator", f.Host, "--log-format", "json").Await("tunnel")
		results[name] = inside.Results
	}
	if said := identify(t, results["studio"], "py", good); said != "WELCO" {
		t.Fatalf("the right token is answered with %q", said)
	}
	const guesses = 20
	for i := range guesses {
		if said := identify(t, results["studio"], "py", fmt.Sprint("guess ", i)); said != "ERROR" {
			t.Fatalf("guess %d is answered with %q", i, said)
		}
	}
	for _, secret := range []string{"guess 0", good} { // neither is checked
		if said := identify(t, results["studio"], "py", secret); said != "" {
			t.Errorf("after %d guesses one is answered with %q", guesses, said)
		}
	}
	sink.Await("refused a connection", "why", "zsock: too many wrong passwords; wait a minute")
	if said := identify(t, results["attic"], "py", good); said != "WELCO" {
		t.Errorf("the right token through another tunnel is answered with %q", said)
	}
}
