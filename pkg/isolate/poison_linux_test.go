package isolate

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// poison is an image, and what is to become of it.
type poison struct {
	name, image string
	reason      outcome.Reason
	words       string
}

func TestPoisonCostsOnlyItself(t *testing.T) {
	hexed := func(s string) string { return "raw " + hex.EncodeToString([]byte(s)) }
	poisons := []poison{
		{"panic", "panic", outcome.Crashed, "exit status 2): panic: the decoder is confused"},
		{"panic in a goroutine", "goroutine", outcome.Crashed, "panic: a goroutine that nobody can recover"},
		{"exit", "exit", outcome.Crashed, "exit status 7"},
		{"segmentation fault", "segv", outcome.Crashed, "SIGSEGV"},
		{"stray write", "fault", outcome.Crashed, "fatal error: fault"},
		{"endless recursion", "recursion", outcome.Crashed, "stack overflow"},
		{"kills itself", "suicide", outcome.Crashed, "killed twice"},
		{"hang", "hang", outcome.Timeout, "longer than 1s"},
		{"busy loop", "spin", outcome.Timeout, "longer than 1s"},
		{"closed pipe", "close", outcome.Crashed, "closed its pipe but did not exit"},
		{"half a message", hexed("\x01\x00"), outcome.Timeout, ""},
		{"text on the pipe", hexed("Hello, I am a library"), outcome.Crashed, "a message of 1819043144 bytes"},
		{"empty message", hexed("\x00\x00\x00\x00\x04"), outcome.Crashed, "message ends early"},
		{"unknown kind", hexed("\x08\x00\x00\x00\x63" + "12345678"), outcome.Crashed, "unknown kind 99"},
		{"endless message", hexed("\xff\xff\xff\xff\x04" + "more"), outcome.Crashed, "a message of 4294967295 bytes"},
	}
	for i, lie := range lies(1, recipe.Default()) {
		poisons = append(poisons, poison{lie.name, fmt.Sprint("answer ", i), outcome.Crashed, lie.want})
	}
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		for _, p := range poisons {
			if p.name == "stray write" && strings.HasSuffix(t.Name(), "piped") {
				continue // there the child's input is its own
			}
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				c := Config{Slots: 2, TaskTimeout: time.Minute}
				if p.reason == outcome.Timeout {
					c.TaskTimeout = time.Second
				}
				survive(t, newEngine(t, c), p)
			})
		}
	})
}

// survive gives e a poisonous image while a neighbour is at work, and others afterwards.
func survive(t *testing.T, e *Engine, p poison) {
	finish := gated(t, e)
	_, err := transform(t, e, p.image)
	for errors.Is(err, ErrStarved) { // the machine is busy, and the farm would deliver the image again
		_, err = transform(t, e, p.image)
	}
	wantRejection(t, err, p.reason, p.words)
	finish()
	// The replacement works too: both children are needed here.
	finish = gated(t, e)
	if _, err := transform(t, e, "hello"); err != nil {
		t.Error("after the poison:", err)
	}
	finish()
}

func timedOut(err error) bool {
	var r *outcome.Rejection
	return errors.As(err, &r) && r.Reason == outcome.Timeout
}

type lie struct {
	name, want string
	message    []byte
}

// lies are answers to the given task that are well formed but not true, or not allowed.
func lies(task uint64, r recipe.Recipe) []lie {
	var all []lie
	add := func(name, want string, change func(*reply), patch func([]byte) []byte) {
		rep := reply{task: task, result: result(r, []byte("data"))}
		for range rep.result.Outputs {
			rep.sizes = append(rep.sizes, 4)
		}
		if change != nil {
			change(&rep)
		}
		b, err := rep.append(nil)
		if err != nil {
			panic(err)
		}
		if patch != nil {
			b = patch(b)
		}
		all = append(all, lie{name, want, b})
	}
	// The first word that a patch looks for is the input's format, so positions do not move with the encoding.
	swap := func(old, new string) func([]byte) []byte {
		return func(b []byte) []byte { return []byte(strings.Replace(string(b), old, new, 1)) }
	}
	add("another task", "an answer to task 77", func(r *reply) { r.task = 77 }, nil)
	add("too few outputs", "2 outputs of 3 variants", func(r *reply) { r.result.Outputs = r.result.Outputs[:2] }, nil)
	add("too many outputs", "4 outputs of 3 variants", func(r *reply) {
		r.result.Outputs = append(r.result.Outputs, engine.Output{Format: "png"})
		r.sizes = append(r.sizes, 1)
	}, nil)
	add("an output beyond the map", "the limit is 268435456", func(r *reply) { r.sizes[1] = 256 << 20 }, nil)
	add("sizes that overflow", "the limit is", func(r *reply) {
		r.sizes[0], r.sizes[1], r.sizes[2] = 1, 1<<63-1, 1<<63-1
	}, nil)
	add("a negative size", "a size of 18446744073709551615", func(r *reply) { r.sizes[1] = -1 }, nil)
	add("a path for a format", `the word "../g"`, nil, swap("jpeg", "../g"))
	add("control characters", `the word "e\x1bif"`, nil, swap("exif", "e\x1bif"))
	add("two answers", "bytes after the end of its answer", nil, func(b []byte) []byte { return append(b, b...) })
	add("a tail", "bytes after the end of the message", nil, func(b []byte) []byte { return finish(append(b, 0)) })
	add("a torn message", "message ends early", nil, func(b []byte) []byte { return finish(b[:len(b)-3]) })
	add("an unknown reason", `unknown reason "truncate!"`, func(r *reply) {
		r.rejection = outcome.Reject(outcome.Truncated, "")
	}, swap("truncated", "truncate!"))
	add("a forged log line", "not plain text", func(r *reply) {
		r.rejection = outcome.Reject(outcome.Truncated, "one line")
	}, swap("one line", "one\nline"))
	return all
}

func TestFirstDeathInUsedChildProvesNothing(t *testing.T) {
	for image, cause := range map[string]Cause{"suicide-if-used": Killed, "panic-if-used": Crashed} {
		t.Run(image, func(t *testing.T) {
			e := newEngine(t, Config{Slots: 1})
			if _, err := transform(t, e, "hello"); err != nil {
				t.Fatal(err)
			}
			if _, err := transform(t, e, image); err != nil {
				t.Fatalf("no second chance in a fresh child: %v", err)
			}
			if s := e.Stats(); s.Ended[cause] != 1 || s.Starts != 2 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

func TestChildKilledFromOutsideGivesItsImageAnother(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	g := newGate(t, e)
	done := g.transform(context.Background(), e)
	open := g.wait(t)
	pid := e.Stats().Children[0].PID
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	kill9(t, pid)
	awaitEnd(t, fd)
	if _, err := open.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := e.Stats(); s.Ended[Killed] != 1 {
		t.Errorf("stats %+v", s)
	}
}

func kill9(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestIdleChildKilledFromOutsideIsReplaced(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	for range 3 {
		if _, err := transform(t, e, "hello"); err != nil {
			t.Fatal(err)
		}
		kill9(t, e.Stats().Children[0].PID)
	}
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
}

func TestChildThatStoppedListeningIsReplaced(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	_, _ = transform(t, e, "deaf") // whether it can still answer is chance
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
}

func TestSignalsForTheParentDoNotReachTheWork(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	if _, err := transform(t, e, "terminate"); err != nil {
		t.Fatal(err)
	}
	if s := e.Stats(); s.Starts != 1 {
		t.Errorf("SIGTERM and SIGINT ended a child: %+v", s)
	}
}

func TestCallerThatGivesUpCostsTheChildNotTheImage(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	why := errors.New("lease lost")
	ctx, cancel := context.WithCancelCause(t.Context())
	g := newGate(t, e)
	done := g.transform(ctx, e)
	g.wait(t)
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Errorf("error %v, want the context's cause", err)
	}
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	if s := e.Stats(); s.Ended[Cancelled] != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestChildEndsWithItsRequestsInTheMiddleOfATransform(t *testing.T) {
	for _, image := range []string{"spin", "hang"} {
		t.Run(image, func(t *testing.T) {
			e := newEngine(t, Config{Slots: 1, Threads: 1})
			if _, err := transform(t, e, "hello"); err != nil {
				t.Fatal(err)
			}
			children, _ := e.pool.children()
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, err := e.Transform(ctx, []byte(image), recipe.Default())
				done <- err
			}()
			for busy := 0; busy == 0; runtime.Gosched() {
				_, busy = e.pool.children()
			}
			children[0].requests.Close() // as when the parent is no more, but without its thread's death
			<-children[0].dead
			if children[0].cause == Timeout {
				t.Error("only the timeout ended it")
			}
			cancel()
			<-done
		})
	}
}
