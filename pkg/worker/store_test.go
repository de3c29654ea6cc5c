package worker

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// full is a store that is full for a while.
type full struct {
	until time.Time
	puts  atomic.Int32
}

func (f *full) Put(context.Context, string, []byte) error {
	if time.Now().Before(f.until) {
		return &blob.Fault{Kind: blob.ErrUnavailable, Op: "write", Why: "no space left"}
	}
	f.puts.Add(1)
	return nil
}

func (f *full) Flush(context.Context) error { return nil }

func TestFullDiskDelaysATaskAndLosesNothing(t *testing.T) {
	store := &full{}
	onStage(t, func(c *Config) { c.Out = store }, func(t *testing.T, s *stage) {
		store.until = time.Now().Add(time.Minute)
		began := time.Now()
		s.send("a.jpg", "x", wire.TaskInfo{ID: "a"})
		r := s.result(time.Hour)
		if r == nil || r.Outcome != outcome.Done || !r.Stored || store.puts.Load() != 3 || r.Outputs[0].Data != nil {
			t.Errorf("the result is %+v after %d outputs", r, store.puts.Load())
		}
		if took := time.Since(began); took < time.Minute || took > time.Minute+2*blob.Pause {
			t.Errorf("it took %v", took)
		}
	})
}

// crowded is an engine that cannot start a child for a while.
type crowded struct {
	engine.Engine
	until time.Time
}

func (c *crowded) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	if time.Now().Before(c.until) {
		return nil, fmt.Errorf("start a child: %w", &os.PathError{Op: "pipe2", Err: syscall.EMFILE})
	}
	return c.Engine.Transform(ctx, data, r)
}

func TestTooManyOpenFilesDelayATaskAndFailNone(t *testing.T) {
	var e *crowded
	onStage(t, func(c *Config) {
		e = &crowded{Engine: c.Engine, until: time.Now().Add(time.Minute)}
		c.Engine = e
	}, func(t *testing.T, s *stage) {
		s.send("a.jpg", "x", wire.TaskInfo{ID: "a"})
		if r := s.result(time.Hour); r == nil || r.Outcome != outcome.Done {
			t.Errorf("the result is %+v", r)
		}
	})
}

// blocked is a store in which something is in the way of every output of a.jpg.
type blocked struct{ full }

func (b *blocked) Put(_ context.Context, name string, _ []byte) error {
	if strings.HasPrefix(name, "a_") {
		return &blob.Fault{Kind: blob.ErrObstructed, Op: "write", Name: name, Why: "a directory has that name"}
	}
	return nil
}

func TestObstructedOutputIsARejectionAndNotAFailure(t *testing.T) {
	onStage(t, func(c *Config) { c.Out = &blocked{} }, func(t *testing.T, s *stage) {
		s.send("a.jpg", "x", wire.TaskInfo{ID: "a"})
		r := s.result(time.Minute)
		if r == nil || r.Outcome != outcome.Rejected || r.Reason != outcome.Obstructed || r.Stored || len(r.Outputs) > 0 ||
			!strings.Contains(r.Detail, "a directory has that name") {
			t.Errorf("the result is %+v", r)
		}
		s.send("b.jpg", "x", wire.TaskInfo{ID: "b"})
		if r := s.result(time.Minute); r == nil || r.Outcome != outcome.Done {
			t.Errorf("the next result is %+v", r)
		}
	})
}

// disk is a store whose syncs take a second; the nth is told to have failed.
type disk struct {
	fails   int32
	flushes atomic.Int32
	synced  atomic.Int32 // outputs
	unsafe  atomic.Int32 // outputs, since the last sync
}

func (d *disk) Put(context.Context, string, []byte) error {
	d.unsafe.Add(1)
	return nil
}

func (d *disk) Flush(context.Context) error {
	n := d.unsafe.Swap(0)
	time.Sleep(time.Second) // virtual: the tests run in bubbles
	if d.flushes.Add(1) == d.fails {
		return &blob.Fault{Kind: blob.ErrLost, Op: "sync"}
	}
	d.synced.Add(n)
	return nil
}

func TestTasksThatEndDuringASyncAreSyncedTogether(t *testing.T) {
	store := &disk{}
	onStage(t, func(c *Config) { c.Out, c.Prefetch = store, 5 }, func(t *testing.T, s *stage) {
		began := time.Now()
		for i := range 5 {
			s.send("a.jpg", "x", wire.TaskInfo{ID: fmt.Sprint(i)})
			if i == 0 {
				synctest.Wait() // its sync is under way
			}
		}
		for i := range int32(5) {
			r := s.result(time.Minute)
			if r == nil || r.Outcome != outcome.Done || !r.Stored || store.synced.Load() < 3*(i+1) {
				t.Errorf("result %d is %+v after %d outputs were synced", i, r, store.synced.Load())
			}
		}
		if n, took := store.flushes.Load(), time.Since(began); n != 2 || took > 2*time.Second {
			t.Errorf("%d syncs in %v", n, took)
		}
	})
}

// Found when two tasks were synced together: the one that had waited for the other's sync heard nothing of its failure.
func TestOutputsThatASyncLostAreNeverCalledDone(t *testing.T) {
	// And whose outputs came while the first was under way, the first lost, too
	for fails, done := range map[int32]string{1: "", 2: "a"} {
		store := &disk{fails: fails}
		onStage(t, func(c *Config) { c.Out, c.Slots, c.Prefetch = store, 3, 4 }, func(t *testing.T, s *stage) {
			s.send("a.jpg", "x", wire.TaskInfo{ID: "a"})
			synctest.Wait() // its sync is under way
			s.send("b.jpg", "x", wire.TaskInfo{ID: "b"})
			s.send("c.jpg", "x", wire.TaskInfo{ID: "c"})
			for range 3 {
				r := s.result(time.Minute)
				if r == nil || (r.Outcome == outcome.Done) != (r.ID == done) || r.Stored != (r.ID == done) {
					t.Errorf("when sync %d fails, the result is %+v", fails, r)
				}
			}
			s.send("d.jpg", "x", wire.TaskInfo{ID: "d"})
			if r := s.result(time.Minute); r == nil || r.Outcome != outcome.Done || !r.Stored {
				t.Errorf("the result is %+v", r)
			}
		})
	}
}
