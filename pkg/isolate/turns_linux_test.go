package isolate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// queued starts a transform of image and returns when it waits in the engine's only child, which is at another.
func queued(ctx context.Context, t *testing.T, e *Engine, image string) <-chan error {
	t.Helper()
	before := e.Stats().Children[0].Tasks
	done := make(chan error, 1)
	go func() {
		_, err := e.Transform(ctx, []byte(image), recipe.Default())
		done <- err
	}()
	for e.Stats().Children[0].Tasks == before {
		runtime.Gosched()
	}
	return done
}

func TestDeathAtOneTaskCostsTheNextNothing(t *testing.T) {
	for image, reason := range map[string]outcome.Reason{"hang": outcome.Timeout, "spin": outcome.Timeout} {
		t.Run(image, func(t *testing.T) {
			e := newEngine(t, Config{Slots: 1, TaskTimeout: time.Second})
			if _, err := transform(t, e, "hello"); err != nil {
				t.Fatal(err)
			}
			poison := queued(t.Context(), t, e, image)
			next := queued(t.Context(), t, e, "hello")
			wantRejection(t, <-poison, reason, "")
			if err := <-next; err != nil {
				t.Errorf("the next: %v", err)
			}
			if s := e.Stats(); s.Starts != 2 || s.Ended[Timeout] != 1 {
				t.Errorf("stats %+v", s)
			}
		})
	}
}

// One image after another that ends its child: what waits in that is never blamed, and comes to its turn.
func TestInnocentAmongManyPoisons(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			_, err := e.Transform(t.Context(), []byte("panic"), recipe.Default())
			if r := (*outcome.Rejection)(nil); !errors.As(err, &r) || r.Reason != outcome.Crashed {
				t.Errorf("a poison: %v", err)
			}
		})
		all.Go(func() {
			if _, err := e.Transform(t.Context(), []byte("hello"), recipe.Default()); err != nil {
				t.Errorf("an innocent: %v", err)
			}
		})
	}
	all.Wait()
}

func TestTimeoutCountsFromTheTurn(t *testing.T) {
	const timeout = 3 * time.Second
	e := newEngine(t, Config{Slots: 1, TaskTimeout: timeout})
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	one, two := newGate(t, e), newGate(t, e)
	first := queued(t.Context(), t, e, one.image())
	second := queued(t.Context(), t, e, two.image())
	for _, turn := range []struct {
		gate *gate
		done <-chan error
	}{{one, first}, {two, second}} {
		open := turn.gate.wait(t)
		time.Sleep(timeout * 6 / 10) // a slow transform: two take longer than the timeout, each alone does not
		open.Close()
		if err := <-turn.done; err != nil {
			t.Errorf("after %v of its own: %v", timeout*6/10, err)
		}
	}
}

func TestCallerThatGivesUpBeforeItsTurnHarmsNobody(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	g, why := newGate(t, e), errors.New("lease lost")
	ctx, cancel := context.WithCancelCause(t.Context())
	first := queued(t.Context(), t, e, g.image())
	second := queued(ctx, t, e, "hang")
	open := g.wait(t)
	cancel(why)
	open.Close()
	if err := <-first; err != nil {
		t.Errorf("the one before: %v", err)
	}
	if err := <-second; !errors.Is(err, why) {
		t.Errorf("error %v, want the context's cause", err)
	}
	if _, err := transform(t, e, "hello"); err != nil {
		t.Error("afterwards:", err)
	}
}

// A child may be through with a second task before its parent looks at the outputs of the first.
func TestOutputsOfTwoTasksDoNotMix(t *testing.T) {
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		e := newEngine(t, Config{Slots: 2, Buffers: 2})
		var all sync.WaitGroup
		for k := range 2 * 2 * Turns {
			all.Go(func() {
				for i := range 100 {
					data := bytes.Repeat(fmt.Appendf(nil, "%d of %d, ", i, k), 1+i*i)
					got, err := e.Transform(t.Context(), data, recipe.Default())
					if err != nil {
						t.Error(err)
						return
					}
					for _, o := range got.Outputs {
						if !bytes.Equal(o.Data, data) {
							t.Errorf("%d bytes are not those of image %d of %d", len(o.Data), i, k)
						}
					}
				}
			})
		}
		all.Wait()
		if s := e.Stats(); s.Starts != 2 || s.Busy != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// The parent hears of the first task when the child is at the second already.
func TestChildGoesOnBeforeItsParentListens(t *testing.T) {
	e := newEngine(t, Config{Slots: 1})
	c := lend(t, e)
	g := newGate(t, e)
	r := recipe.Default()
	one, two := send(t, c, "the first"), send(t, c, g.image())
	open := g.wait(t) // it is at the second, and nobody has read its first answer
	open.Close()
	rep, err := c.receive(one, r.Variants)
	if err != nil || string(rep.result.Outputs[2].Data) != "the first" {
		t.Errorf("the first: %+v, %v", rep, err)
	}
	c.endTurn(err)
	if rep, err = c.receive(two, r.Variants); err != nil || rep.result == nil {
		t.Errorf("the second: %+v, %v", rep, err)
	}
	c.endTurn(err)
}

// lend takes e's only child from its pool for as long as the test takes.
func lend(t *testing.T, e *Engine) *child {
	t.Helper()
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	c, err := e.pool.acquire(t.Context(), anyChild, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.pool.release(c) })
	return c
}

func send(t *testing.T, c *child, image string) request {
	t.Helper()
	q := request{length: uint64(len(image)), recipe: recipe.Default().String()}
	if _, _, err := c.send(&q, []byte(image), func() {}); err != nil {
		t.Fatal(err)
	}
	return q
}

// The parent hears of the first task when the child has died of the second.
func TestAnswerOfADeadChildCounts(t *testing.T) {
	c := lend(t, newEngine(t, Config{Slots: 1}))
	one, two := send(t, c, "the first"), send(t, c, "exit")
	<-c.dead
	r := recipe.Default()
	rep, err := c.receive(one, r.Variants)
	if err != nil || string(rep.result.Outputs[2].Data) != "the first" {
		t.Errorf("the first: %+v, %v", rep, err)
	}
	c.endTurn(err)
	if rep, err = c.receive(two, r.Variants); !isEnd(err) {
		t.Errorf("the second: %+v, %v", rep, err)
	}
	c.endTurn(err)
}

// A child that gets no processor is no fault of its image, which is not written for ever to it through the pipe either.
func TestChildThatGetsNoProcessorIsTheFarmsFault(t *testing.T) {
	bothWays(t, func(t *testing.T, newEngine func(*testing.T, Config) *Engine) {
		e := newEngine(t, Config{Slots: 1, TaskTimeout: 100 * time.Millisecond})
		if _, err := transform(t, e, "hello"); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(e.Stats().Children[0].PID, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		_, err := e.Transform(t.Context(), make([]byte, 1<<20), recipe.Default())
		var r *outcome.Rejection
		if err == nil || errors.As(err, &r) || !strings.Contains(err.Error(), "too busy") {
			t.Errorf("it ended with %v", err)
		}
		if _, err := transform(t, e, "hello"); err != nil { // the child is counted before it is replaced
			t.Error(err)
		}
		if s := e.Stats(); s.Ended[Starved] != 1 || s.Ended[Timeout] != 0 {
			t.Errorf("stats %+v", s)
		}
	})
}

// A child that is kept from working for longer than TaskTimeout goes on when it may, and its image is made.
func TestChildThatWaitedForAProcessorGoesOn(t *testing.T) {
	e := newEngine(t, Config{Slots: 1, TaskTimeout: time.Second})
	if _, err := transform(t, e, "hello"); err != nil {
		t.Fatal(err)
	}
	c := e.Stats().Children[0]
	if err := syscall.Kill(c.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	done := queued(t.Context(), t, e, "hello")
	for passed := time.Duration(0); passed < 2*time.Second; runtime.Gosched() {
		alive, _ := e.pool.children()
		alive[0].mu.Lock()
		passed = alive[0].clock.looked.Sub(alive[0].clock.began)
		alive[0].mu.Unlock()
	}
	if err := syscall.Kill(c.PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("the image of a child that was stopped for a while: %v", err)
	}
}

func TestWhatAChildSaysIsOfItsLastTwoTurns(t *testing.T) {
	var h recentStderr
	for i, idle := range []bool{true, false, false, true, false} {
		h.turn(idle)
		fmt.Fprintf(&h, "%d ", i)
		if want := []string{"0 ", "0 1 ", "1 2 ", "3 ", "3 4 "}[i]; h.String() != want {
			t.Errorf("after turn %d: %q, want %q", i, h.String(), want)
		}
	}
}
