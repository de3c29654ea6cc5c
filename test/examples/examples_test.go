// Package examples runs the examples as a reader of the tutorial would, also against libzmq on the other side.
package examples

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// build makes an example's program.
func build(t *testing.T, name string) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), name)
	if out, err := exec.Command("go", "build", "-o", bin, "../../examples/"+name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return bin
}

// start runs a program and returns its lines; it is interrupted when the test ends.
func start(t *testing.T, bin string, args ...string) *bufio.Scanner {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	cmd := exec.CommandContext(ctx, bin, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_, _ = io.Copy(io.Discard, out) // until it ends
		_ = cmd.Wait()                  // interrupted by us
	})
	return bufio.NewScanner(out)
}

func next(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	if !lines.Scan() {
		t.Fatal("it ended")
	}
	return lines.Text()
}

// endpointOf reads the bound endpoint off a program's first line.
func endpointOf(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	words := strings.Fields(next(t, lines))
	return words[len(words)-1]
}

// python runs a program against libzmq.
func python(t *testing.T, program string, args ...string) *bufio.Scanner {
	t.Helper()
	for _, p := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(p, "-c", "import zmq").Run() == nil {
			return start(t, p, append([]string{"-u", "-c", program}, args...)...)
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no python3 with zmq (Debian: python3-zmq)")
	}
	t.Skip("no python3 with zmq (Debian: python3-zmq)")
	return nil
}

func TestSeveralClientsAreGreeted(t *testing.T) {
	t.Parallel()
	hello := build(t, "hello")
	endpoint := endpointOf(t, start(t, hello, "-endpoint", "tcp://127.0.0.1:0", "server"))
	ada := start(t, hello, "-endpoint", endpoint, "client", "Ada", "Bob")
	eve := start(t, hello, "-endpoint", endpoint, "client", "Eve")
	if a, b, c := next(t, ada), next(t, ada), next(t, eve); a != "Hello, Ada!" || b != "Hello, Bob!" ||
		c != "Hello, Eve!" {
		t.Errorf("%q, %q, %q", a, b, c)
	}
}

func TestClientMayBeFirst(t *testing.T) {
	t.Parallel()
	hello := build(t, "hello")
	endpoint := "ipc://" + filepath.Join(t.TempDir(), "hello")
	client := start(t, hello, "-endpoint", endpoint, "client", "World")
	start(t, hello, "-endpoint", endpoint, "server")
	if got := next(t, client); got != "Hello, World!" {
		t.Errorf("%q", got)
	}
}

func TestHelloSpeaksWithLibzmqOnEitherSide(t *testing.T) {
	t.Parallel()
	hello := build(t, "hello")
	endpoint := endpointOf(t, start(t, hello, "-endpoint", "tcp://127.0.0.1:0", "server"))
	client := python(t, `import sys, zmq
s = zmq.Context().socket(zmq.REQ); s.connect(sys.argv[1]); s.send(b"Python"); print(s.recv().decode())`, endpoint)
	if got := next(t, client); got != "Hello, Python!" {
		t.Errorf("%q", got)
	}
	server := python(t, `import zmq
s = zmq.Context().socket(zmq.REP); p = s.bind_to_random_port("tcp://127.0.0.1")
print("on tcp://127.0.0.1:%d" % p)
while True: s.send(b"Salut, " + s.recv())`)
	if got := next(t, start(t, hello, "-endpoint", endpointOf(t, server), "client", "Go")); got != "Salut, Go" {
		t.Errorf("%q", got)
	}
}

// inStep checks that a listener that joined late says its word at the right numbers, without a gap.
func inStep(t *testing.T, lines *bufio.Scanner, word string, multiple int) {
	t.Helper()
	joined, ok := strings.CutPrefix(next(t, lines), "joined at ")
	at, err := strconv.Atoi(joined)
	if !ok || err != nil {
		t.Fatalf("it began with %q", joined)
	}
	want := (at + multiple - 1) / multiple * multiple
	for range 4 {
		if got := next(t, lines); got != strconv.Itoa(want)+" "+word {
			t.Errorf("%q, not %d", got, want)
		}
		want += multiple
	}
}

func TestFizzAndBuzzJoinLateAndAreInStep(t *testing.T) {
	t.Parallel()
	fizzbuzz := build(t, "fizzbuzz")
	endpoint := endpointOf(t, start(t, fizzbuzz, "-endpoint", "tcp://127.0.0.1:0", "-every", "20ms", "count"))
	inStep(t, start(t, fizzbuzz, "-endpoint", endpoint, "fizz"), "Fizz", 3)
	inStep(t, start(t, fizzbuzz, "-endpoint", endpoint, "buzz"), "Buzz", 5) // the publisher has not waited
}

func TestFizzBuzzSpeaksWithLibzmqOnEitherSide(t *testing.T) {
	t.Parallel()
	fizzbuzz := build(t, "fizzbuzz")
	endpoint := endpointOf(t, start(t, fizzbuzz, "-endpoint", "tcp://127.0.0.1:0", "-every", "20ms", "count"))
	inStep(t, python(t, `import sys, zmq
s = zmq.Context().socket(zmq.SUB); s.connect(sys.argv[1]); s.subscribe(b"number"); first = True
while True:
    n = int(s.recv_multipart()[1])
    if first: print("joined at", n); first = False
    if n % 3 == 0: print(n, "Fizz")`, endpoint), "Fizz", 3)
	publisher := python(t, `import time, zmq
s = zmq.Context().socket(zmq.PUB); p = s.bind_to_random_port("tcp://127.0.0.1"); n = 0
print("on tcp://127.0.0.1:%d" % p)
while True:
    n += 1; s.send_multipart([b"number", b"%d" % n]); time.sleep(0.02)`)
	inStep(t, start(t, fizzbuzz, "-endpoint", endpointOf(t, publisher), "buzz"), "Buzz", 5)
}
