package isolate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// roleEnv makes the test binary a farm of its own, which a test can kill.
const roleEnv = "ISOLATE_TEST_ROLE"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		kept = keepGates()
	}
	if Main(openPoison) {
		return
	}
	if os.Getenv(roleEnv) == "parent" {
		parentRole()
		return
	}
	goleak.VerifyTestMain(m)
}

// poisoned is an engine that does what its image says: "word argument …".
type poisoned struct {
	settings  string
	libraries Libraries
	calls     int
	held      [][]byte
}

func openPoison(name string, settings []byte, libraries Libraries) (engine.Engine, error) {
	switch name {
	case "poison":
	case "broken":
		return nil, errors.New("this engine never opens")
	case "silent":
		select {}
	case "loud":
		_, _ = os.NewFile(fdReplies, "replies").WriteString("hello, I am a library that prints\n")
	}
	return &poisoned{settings: string(settings), libraries: libraries}, nil
}

func (p *poisoned) Name() string { return "poison" }

var sink []byte

// kept are the ends of the gates that a child inherited.
var kept []int

func (p *poisoned) Transform(_ context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	p.calls++
	word, arg, _ := strings.Cut(string(data[:min(len(data), 100)]), " ")
	switch word {
	case "hang":
		select {}
	case "spin":
		for {
			p.calls++
		}
	case "slice": // one allocation of many bytes, all touched
		n, _ := strconv.ParseInt(arg, 10, 64)
		sink = make([]byte, n)
		for i := 0; i < len(sink); i += 4096 {
			sink[i] = 1
		}
		return nil, fmt.Errorf("%d bytes were there for the asking", n)
	case "pieces": // many small ones, all touched
		for {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			p.held = append(p.held, b)
		}
	case "creep": // beyond the limit, below the wall
		n, _ := strconv.Atoi(arg)
		b := make([]byte, n)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		p.held = append(p.held, b)
		select {}
	case "panic":
		panic("the decoder is confused")
	case "goroutine":
		go panic("a goroutine that nobody can recover")
		select {}
	case "exit":
		os.Exit(7)
	case "segv":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	case "fault": // writes to its input, which is not its own
		data[0] = 'F'
		return nil, errors.New("the input could be written")
	case "recursion":
		return nil, errors.New(strconv.Itoa(recurse(1)))
	case "slack":
		slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
		if err != nil {
			return nil, err
		}
		return result(r, fmt.Append(nil, slack)), nil
	case "suicide":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "suicide-if-used":
		if p.calls > 1 {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	case "panic-if-used":
		if p.calls > 1 {
			panic("spoiled by its past")
		}
	case "terminate": // children do not listen to this
		_ = syscall.Kill(os.Getpid(), syscall.SIGTERM)
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	case "raw": // says something itself, and lets the parent react
		b, _ := hex.DecodeString(arg)
		_, _ = os.NewFile(fdReplies, "replies").Write(b)
		select {}
	case "gate": // works until the gate opens
		number, _ := strconv.Atoi(arg)
		if err := passGate(kept, number); err != nil {
			return nil, err
		}
		return result(r, fmt.Append(nil, os.Getpid())), nil
	case "answer": // says a message itself, for the task that it is
		n, _ := strconv.Atoi(arg)
		_, _ = os.NewFile(fdReplies, "replies").Write(lies(uint64(p.calls), r)[n].message)
		select {}
	case "fork": // leaves a process behind that reads from a FIFO
		if err := exec.Command("/bin/sh", "-c", "exec cat >/dev/null <"+arg).Start(); err != nil {
			return nil, err
		}
		awaitWriter(arg)
		os.Exit(3)
	case "try": // "try NAME: ARGUMENT", a line: what an attacker's code would try
		line, _, _ := strings.Cut(strings.TrimPrefix(string(data[:min(len(data), 1000)]), "try "), "\n")
		name, argument, _ := strings.Cut(line, ": ")
		do := attempts()[name]
		if do == nil {
			return nil, fmt.Errorf("no attempt %q", name)
		}
		if err := do(data, argument); err != nil {
			return result(r, []byte(err.Error())), nil
		}
		return result(r, nil), nil
	case "close":
		_ = syscall.Close(fdReplies)
		select {}
	case "deaf":
		_ = syscall.Close(fdRequests)
	case "reject":
		return nil, outcome.Reject(outcome.Truncated, "it ends at %s", arg)
	case "wrapped":
		return nil, fmt.Errorf("decode: %w", outcome.Reject(outcome.Unsupported, "CMYK"))
	case "invent":
		return nil, outcome.Reject("ugly", "no such reason")
	case "fail":
		return nil, errors.New("the disk is on\nfire")
	case "print":
		fmt.Println("a library prints to standard output")
		fmt.Fprintln(os.Stderr, "and to standard error")
	case "few":
		return &engine.Result{}, nil
	case "large":
		n, _ := strconv.Atoi(strings.TrimRight(arg, "\x00"))
		return result(r, make([]byte, n)), nil
	case "pid":
		return result(r, fmt.Append(nil, os.Getpid())), nil
	case "libraries": // says in which process it has which
		return result(r, fmt.Appendf(nil, "%d %d", os.Getpid(), p.libraries)), nil
	case "environment":
		return result(r, []byte(strings.Join(os.Environ(), "\n"))), nil
	case "settings":
		return result(r, fmt.Appendf(nil, "%s, %d threads", p.settings, runtime.GOMAXPROCS(0))), nil
	}
	return result(r, data), nil
}

// awaitWriter waits until somebody opens the FIFO to write.
func awaitWriter(name string) {
	f, err := os.Open(name)
	if err == nil {
		f.Close()
	}
}

//go:noinline
func recurse(n int) int {
	var room [256]byte
	room[n%256] = byte(n)
	return recurse(n+1) + int(room[(n+1)%256]) //nolint:staticcheck // it is to overflow the stack
}

// result is a whole result, each output of which is data.
func result(r recipe.Recipe, data []byte) *engine.Result {
	res := &engine.Result{
		Format: "jpeg", Width: 4000, Height: 3000, Dropped: []string{"exif", "xmp"},
		Stages: engine.Stages{Decode: 3 * time.Millisecond, Transform: 2 * time.Microsecond, Encode: time.Nanosecond},
	}
	for i, v := range r.Variants {
		res.Outputs = append(res.Outputs, engine.Output{
			Variant: v.Name, Format: "webp", Width: 64 * i, Height: 48 * i, Data: slices.Clone(data),
		})
	}
	return res
}

// newEngine returns an engine of n slots that runs until the test ends.
func newEngine(t testing.TB, c Config) *Engine {
	t.Helper()
	e := idleEngine(t, c)
	runEngine(t, e)
	return e
}

func idleEngine(t testing.TB, c Config) *Engine {
	t.Helper()
	if c.Engine == "" {
		c.Engine = "poison"
	}
	if testing.Verbose() {
		c.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	addGates(t, e)
	return e
}

// runEngine runs e; stop ends it and waits, and is called when the test ends if it was not before.
func runEngine(t testing.TB, e *Engine) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	stopped := false
	stop = func() {
		t.Helper()
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		removeGates(e)
	}
	t.Cleanup(stop)
	return stop
}

func transform(t testing.TB, e *Engine, data string) (*engine.Result, error) {
	t.Helper()
	return e.Transform(t.Context(), []byte(data), recipe.Default())
}

// wantRejection fails the test unless err rejects for reason, with words in its detail.
func wantRejection(t testing.TB, err error, reason outcome.Reason, words string) {
	t.Helper()
	var r *outcome.Rejection
	if !errors.As(err, &r) {
		t.Fatalf("error %v, want a rejection for %s", err, reason)
	}
	if r.Reason != reason || !strings.Contains(r.Detail, words) {
		t.Fatalf("rejected as %v, want %s with %q", r, reason, words)
	}
}

// parentRole is a farm with one idle child and one that hangs. It prints their process numbers.
func parentRole() {
	signal.Ignore(syscall.SIGPIPE)
	e, err := New(Config{Engine: "poison", Slots: 2})
	if err != nil {
		panic(err)
	}
	go func() { _ = e.Run(context.Background()) }()
	go func() {
		_, _ = e.Transform(context.Background(), []byte(os.Getenv("ISOLATE_TEST_IMAGE")), recipe.Default())
	}()
	res, err := e.Transform(context.Background(), []byte("pid"), recipe.Default())
	for err != nil || len(e.Stats().Children) < 2 {
		res, err = e.Transform(context.Background(), []byte("pid"), recipe.Default())
	}
	_ = res
	for _, c := range e.Stats().Children {
		fmt.Println(c.PID)
	}
	fmt.Println("ready")
	select {}
}
