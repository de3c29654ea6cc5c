package isolate

import (
	"context"
	"errors"
	"os"
	"testing"
	"testing/synctest"
)

// fakeChild is a child without a process.
func fakeChild(t *testing.T, served uint64) *child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return &child{requests: w, served: served, gone: true}
}

func TestWhoNeedsAFreshChildGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		p.turns = 1
		got := make(chan string, 2)
		go func() {
			if _, err := p.acquire(context.Background(), anyChild, 0); err == nil {
				got <- "any"
			}
		}()
		synctest.Wait()
		go func() {
			if _, err := p.acquire(context.Background(), freshChild, 0); err == nil {
				got <- "fresh"
			}
		}()
		synctest.Wait()
		p.add(fakeChild(t, 0))
		if who := <-got; who != "fresh" {
			t.Errorf("%s got the new child", who)
		}
		p.add(fakeChild(t, 0))
		<-got
	})
}

func TestUsedChildMakesRoomIfNoFreshOneIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2)
		a, b := fakeChild(t, 3), fakeChild(t, 3)
		p.add(a)
		p.add(b)
		got := make(chan *child, 1)
		go func() {
			c, _ := p.acquire(context.Background(), freshChild, 0)
			got <- c
		}()
		synctest.Wait()
		retired := a
		if b.cause != "" {
			retired = b
		}
		if retired.cause != Replaced || a.cause == b.cause {
			t.Fatalf("causes %q and %q, want one replaced", a.cause, b.cause)
		}
		p.remove(retired)
		fresh := fakeChild(t, 0)
		p.add(fresh)
		if c := <-got; c != fresh {
			t.Error("not the fresh one")
		}
	})
}

func TestChildOfferedTooLateIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("gave up")
		done := make(chan error, 1)
		go func() {
			_, err := p.acquire(ctx, anyChild, 0)
			done <- err
		}()
		synctest.Wait()
		cancel(why)
		c := fakeChild(t, 0)
		p.add(c)
		err := <-done
		switch {
		case err == nil: // it took it
			p.release(c)
		case !errors.Is(err, why):
			t.Fatal(err)
		}
		if got, err := p.acquire(context.Background(), anyChild, 0); got != c || err != nil {
			t.Error(got, err)
		}
	})
}

func TestFailedStartIsToldToWhoCannotHopeForAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2)
		c := fakeChild(t, 0)
		p.add(c)
		if _, err := p.acquire(context.Background(), anyChild, 0); err != nil {
			t.Fatal(err)
		}
		anyone, fresh := make(chan error, 1), make(chan error, 1)
		go func() { _, err := p.acquire(context.Background(), anyChild, 0); anyone <- err }()
		go func() { _, err := p.acquire(context.Background(), freshChild, 0); fresh <- err }()
		synctest.Wait()
		broken := errors.New("broken")
		p.startFailed(broken)
		if err := <-fresh; !errors.Is(err, broken) {
			t.Errorf("who needs a fresh child: %v", err)
		}
		synctest.Wait()
		select {
		case err := <-anyone:
			t.Fatalf("who can use the busy one: %v", err)
		default:
		}
		p.remove(c)
		p.startFailed(broken)
		if err := <-anyone; !errors.Is(err, broken) {
			t.Errorf("with no child left: %v", err)
		}
	})
}

func TestSlotIsFreeWhenNoTransformHasItsDeadChild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		c := fakeChild(t, 1)
		p.add(c)
		if _, err := p.acquire(context.Background(), anyChild, 0); err != nil {
			t.Fatal(err)
		}
		c.cause = Killed
		p.remove(c)
		free := false
		go func() {
			p.awaitUnused(c)
			free = true
		}()
		synctest.Wait()
		if free {
			t.Error("while a transform has the child")
		}
		p.release(c)
		synctest.Wait()
		if !free {
			t.Error("not free after the child was given back")
		}
		p.awaitUnused(fakeChild(t, 1)) // of one that was never lent there is nothing to wait for
	})
}

func TestClosedPoolWaitsForWhoIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		c := fakeChild(t, 0)
		p.add(c)
		if _, err := p.acquire(context.Background(), anyChild, 0); err != nil {
			t.Fatal(err)
		}
		p.close()
		select {
		case <-p.drained:
			t.Fatal("drained with a busy child")
		default:
		}
		if _, err := p.acquire(context.Background(), anyChild, 0); err != ErrStopped {
			t.Error(err)
		}
		p.release(c)
		<-p.drained
		if c.cause != Stopped {
			t.Errorf("cause %q", c.cause)
		}
	})
}

// offered asks for a child, and tells which came at once, or nil.
func offered(p *pool, want want) *child {
	ctx, cancel := context.WithCancel(context.Background())
	got := asked(ctx, p, want, 0)
	cancel()
	return <-got
}

// asked asks for a child that has libraries, which comes when there is one.
func asked(ctx context.Context, p *pool, want want, libraries Libraries) <-chan *child {
	got := make(chan *child, 1)
	go func() {
		c, _ := p.acquire(ctx, want, libraries)
		got <- c
	}()
	synctest.Wait()
	return got
}

func TestNextTaskWaitsInAChildThatIsAtAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(2)
		a, b := fakeChild(t, 1), fakeChild(t, 1)
		p.add(a)
		if offered(p, anyChild) != a {
			t.Fatal("a was not given")
		}
		if offered(p, anyChild) != nil {
			t.Error("a task waits in a child while another is about to start")
		}
		p.add(b)
		if offered(p, anyChild) != b {
			t.Fatal("not the idle one")
		}
		if offered(p, idleChild) != nil {
			t.Error("no child is idle")
		}
		first, second := offered(p, anyChild), offered(p, anyChild)
		if first == nil || second == nil || first == second {
			t.Errorf("one next task for each: got %p and %p of %p and %p", first, second, a, b)
		}
		if offered(p, anyChild) != nil {
			t.Errorf("a child has more than %d tasks", Turns)
		}
		a.cause = Crashed // it is dead, and its replacement is not there
		p.release(a)
		p.release(a)
		p.release(b)
		if offered(p, anyChild) != nil {
			t.Error("a task waits in a child while another is about to be replaced")
		}
	})
}

func TestNothingWaitsInAChildWhileSomebodyNeedsOneAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		c := fakeChild(t, 1)
		p.add(c)
		if offered(p, anyChild) != c {
			t.Fatal("no child")
		}
		got := asked(context.Background(), p, idleChild, 0)
		if offered(p, anyChild) != nil {
			t.Error("it always has a next task, and is never idle")
		}
		p.release(c)
		if <-got != c || offered(p, anyChild) != nil {
			t.Error("who needed it alone has not got it alone")
		}
		p.release(c)
		if first, second := offered(p, anyChild), offered(p, anyChild); first != c || second != c {
			t.Error("it is alone for ever")
		}
	})
}

func TestNothingWaitsInAChildWhileAFreshOneIsNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(1)
		old, fresh := fakeChild(t, 1), fakeChild(t, 0)
		p.add(old)
		if offered(p, anyChild) != old {
			t.Fatal("no child")
		}
		got := asked(context.Background(), p, freshChild, 0)
		if offered(p, anyChild) != nil {
			t.Error("it always has a next task, and never makes room")
		}
		p.release(old)
		p.remove(old)
		p.add(fresh)
		if c := <-got; old.cause != Replaced || c != fresh {
			t.Errorf("the old child ended with %q, and %p came, not the fresh %p", old.cause, c, fresh)
		}
	})
}
