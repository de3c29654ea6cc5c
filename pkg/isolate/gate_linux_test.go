package isolate

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// gate is two pipes by which a test knows that a transform is under way, and says when it may go on. Children inherit
// their ends: in the sandbox they can open nothing.
type gate struct {
	number int
	begun  *os.File // has a byte for each transform that came to the gate
	open   *os.File // closing it opens the gate for good; a byte lets one transform through
}

// gatesOfEngine is how many gates the children of an engine have. Each is used once.
const gatesOfEngine = 4

// gates holds the unused gates of each engine that exists, a []*gate by *Engine.
var gates sync.Map

// addGates gives e's children gates.
func addGates(t testing.TB, e *Engine) {
	t.Helper()
	var all []*gate
	for i := range gatesOfEngine {
		begunIn, begunOut, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		openIn, openOut, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		e.inherited = append(e.inherited, begunOut, openIn)
		all = append(all, &gate{i, begunIn, openOut})
	}
	gates.Store(e, all)
	t.Cleanup(func() { removeGates(e) })
}

// removeGates closes the pipes of the unused gates, and the children's ends of all.
func removeGates(e *Engine) {
	all, ok := gates.LoadAndDelete(e)
	if !ok {
		return
	}
	for _, g := range all.([]*gate) {
		g.begun.Close()
		g.open.Close()
	}
	for _, f := range e.inherited {
		f.Close()
	}
}

// newGate returns a gate of e that no test has used.
func newGate(t *testing.T, e *Engine) *gate {
	t.Helper()
	all, _ := gates.Load(e)
	unused, _ := all.([]*gate)
	if len(unused) == 0 {
		t.Fatal("the engine has no gates left")
	}
	gates.Store(e, unused[1:])
	t.Cleanup(func() { unused[0].begun.Close() })
	return unused[0]
}

// image is what makes a transform stop at the gate.
func (g *gate) image() string { return fmt.Sprint("gate ", g.number) }

// transform starts a transform that stops at the gate.
func (g *gate) transform(ctx context.Context, e *Engine) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := e.Transform(ctx, []byte(g.image()), recipe.Default())
		done <- err
	}()
	return done
}

// wait returns when a transform is at the gate, which opens when the file is closed.
func (g *gate) wait(t *testing.T) *os.File {
	t.Helper()
	if _, err := g.begun.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.open.Close() })
	return g.open
}

// gated starts a task that holds one of e's children; it is under way when gated returns. finish lets it end, and
// fails the test if anything happened to it.
func gated(t *testing.T, e *Engine) (finish func()) {
	t.Helper()
	g := newGate(t, e)
	done := g.transform(context.Background(), e)
	open := g.wait(t)
	return func() {
		t.Helper()
		open.Close()
		// With a short TaskTimeout a slow machine may not give it the time; nothing else may happen to it.
		if err := <-done; err != nil && !timedOut(err) {
			t.Errorf("the neighbour of the poison: %v", err)
		}
	}
}

// keepGates marks the pipes that a test's engine passed to this child as the child's own, as an engine's open function
// would that opened them. It returns them in order.
func keepGates() (kept []int) {
	for fd := fdReplies + 1; fd <= fdOutput+2*gatesOfEngine; fd++ {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFIFO {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC != 0 {
			continue
		}
		if own, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 64); err == nil {
			kept = append(kept, own)
		}
	}
	return kept
}

// passGate stops, in a child, at the gate of a number until it opens.
func passGate(kept []int, number int) error {
	if 2*number+1 >= len(kept) {
		return fmt.Errorf("no gate %d: the child has %d pipes", number, len(kept))
	}
	if _, err := syscall.Write(kept[2*number], []byte("x")); err != nil {
		return err
	}
	for {
		if _, err := syscall.Read(kept[2*number+1], make([]byte, 1)); err != syscall.EINTR {
			return err
		}
	}
}
