package isolate

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// askedFor asks for any child that has libraries, which comes when there is one.
func askedFor(p *pool, libraries Libraries) <-chan *child {
	return asked(context.Background(), p, anyChild, libraries)
}

// replaced adds a new child for each that was retired, and returns how many those were.
func replaced(t *testing.T, p *pool, all map[*child]Libraries) (n int) {
	t.Helper()
	for c := range all {
		if c.cause == Replaced {
			delete(all, c)
			p.remove(c)
			next := fakeChild(t, 0)
			next.libraries = p.needed()
			all[next] = next.libraries
			p.add(next)
			n++
		}
	}
	synctest.Wait()
	return n
}

func TestAChildThatLacksALibraryIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(3)
		all := make(map[*child]Libraries)
		for range 3 {
			c := fakeChild(t, 1)
			all[c] = 0
			p.add(c)
		}
		one, two := askedFor(p, 1), askedFor(p, 1)
		other := askedFor(p, 0)
		c := <-other
		if c.libraries != 0 || len(one)+len(two) > 0 {
			t.Fatal("a transform that needs a library got a child that lacks it")
		}
		if n := replaced(t, p, all); n != 2 {
			t.Errorf("%d children were replaced for two transforms, want 2", n)
		}
		a, b := <-one, <-two
		if a == b || a.libraries != 1 || b.libraries != 1 {
			t.Errorf("libraries %d and %d of %p and %p", a.libraries, b.libraries, a, b)
		}
		p.release(c)
		if got := askedFor(p, 0); <-got != c {
			t.Error("the child that lacks a library is of no use any more")
		}
		if n := replaced(t, p, all); n != 0 {
			t.Errorf("%d children were replaced, though nobody waited for their libraries", n)
		}
	})
}

func TestNothingWaitsInAChildWhileALibraryIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		c := fakeChild(t, 1)
		p.add(c)
		if <-askedFor(p, 0) != c {
			t.Fatal("no child")
		}
		needy := askedFor(p, 2)
		if offered(p, anyChild) != nil {
			t.Error("the child always has a next task, and is never replaced")
		}
		p.release(c)
		if n := replaced(t, p, map[*child]Libraries{c: 0}); n != 1 {
			t.Fatalf("%d children were replaced, want 1", n)
		}
		got := <-needy
		if got.libraries != 2 {
			t.Errorf("libraries %d, want 2", got.libraries)
		}
		next := askedFor(p, 1) // it lacks that one
		if offered(p, anyChild) != nil || len(next) > 0 {
			t.Error("a task waits in a child that is about to be replaced")
		}
		p.release(got)
		if n := replaced(t, p, map[*child]Libraries{got: 2}); n != 1 {
			t.Fatalf("%d children were replaced, want 1", n)
		}
		if got := <-next; got.libraries != 3 {
			t.Errorf("libraries %d, want 3", got.libraries)
		}
	})
}

func TestAChildThatWasStartedTooEarlyIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		needy := askedFor(p, 1)
		early := fakeChild(t, 0) // its setup was sent before anyone needed a library
		p.add(early)
		if n := replaced(t, p, map[*child]Libraries{early: 0}); n != 1 {
			t.Errorf("%d children were replaced, want 1", n)
		}
		if got := <-needy; got.libraries != 1 {
			t.Errorf("libraries %d, want 1", got.libraries)
		}
	})
}

func TestFailedStartIsToldToWhoNeedsALibrary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2)
		p.add(fakeChild(t, 1))
		failed := make(chan error, 1)
		go func() {
			_, err := p.acquire(context.Background(), anyChild, 1)
			failed <- err
		}()
		synctest.Wait()
		broken := errors.New("broken")
		p.startFailed(broken)
		if err := <-failed; !errors.Is(err, broken) {
			t.Errorf("error %v, want that of the start", err)
		}
	})
}
