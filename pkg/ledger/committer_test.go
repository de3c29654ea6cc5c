package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

type answer struct {
	n         int
	duplicate bool
	err       error
}

// runCommitter runs a committer for l until stop is called, which waits for its end and returns its error.
func runCommitter(t *testing.T, l *Ledger, cfg CommitterConfig) (c *Committer, stop func() error) {
	t.Helper()
	c, err := NewCommitter(l, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	var once sync.Once
	stop = func() (err error) {
		once.Do(func() {
			cancel()
			err = <-ended
		})
		return err
	}
	t.Cleanup(func() { _ = stop() })
	return c, stop
}

func submit(t *testing.T, c *Committer, answers chan<- answer, n int) {
	t.Helper()
	err := c.Submit(t.Context(), testEntry(n), func(duplicate bool, err error) {
		answers <- answer{n, duplicate, err}
	})
	if err != nil {
		t.Fatalf("Submit(%d): %v", n, err)
	}
}

func TestEveryEntryIsAnsweredInOrder(t *testing.T) {
	l := newLedger(t)
	commits, most := 0, 0
	c, stop := runCommitter(t, l, CommitterConfig{MaxBatch: 50, MaxPending: 60, Observe: func(n int, took time.Duration) {
		commits++
		most = max(most, n)
		if took <= 0 {
			t.Errorf("a commit took %v", took)
		}
	}})
	const n = 1000
	answers := make(chan answer, n+1)
	for i := range n {
		submit(t, c, answers, i)
	}
	submit(t, c, answers, 7)
	for i := range n {
		if a := <-answers; a != (answer{n: i}) {
			t.Fatalf("answer %d is %+v", i, a)
		}
	}
	if a := <-answers; a != (answer{n: 7, duplicate: true}) {
		t.Errorf("the duplicate is answered %+v", a)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	if most > 50 || commits < n/50 || c.Pending() != 0 {
		t.Errorf("%d commits of up to %d entries, %d are pending", commits, most, c.Pending())
	}
}

func TestEntriesGatherBetweenCommitsButNeverWaitWhenIdle(t *testing.T) {
	l := newLedger(t)
	synctest.Test(t, func(t *testing.T) {
		const interval = 40 * time.Millisecond
		var sizes []int
		observe := func(n int, _ time.Duration) { sizes = append(sizes, n) }
		c, stop := runCommitter(t, l, CommitterConfig{Interval: interval, MaxBatch: 10, Observe: observe})
		answers := make(chan answer, 100)
		begun := time.Now()
		submit(t, c, answers, 0)
		<-answers
		if waited := time.Since(begun); waited != 0 {
			t.Errorf("the first entry waited %v", waited)
		}
		submit(t, c, answers, 1)
		synctest.Wait()
		submit(t, c, answers, 2)
		<-answers
		<-answers
		if waited := time.Since(begun); waited != interval {
			t.Errorf("the next two were committed after %v, want %v", waited, interval)
		}
		for i := range 10 {
			submit(t, c, answers, 10+i)
		}
		for range 10 {
			<-answers
		}
		if waited := time.Since(begun); waited != interval {
			t.Errorf("a full batch waited %v", waited-interval)
		}
		time.Sleep(time.Hour) // of the bubble's clock
		idle := time.Now()
		submit(t, c, answers, 3)
		<-answers
		if waited := time.Since(idle); waited != 0 {
			t.Errorf("after a pause, an entry waited %v", waited)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(sizes) != "[1 2 10 1]" {
			t.Errorf("batches of %v", sizes)
		}
	})
}

func TestNothingIsCommittedBeforeItsOutputsAreDurable(t *testing.T) {
	l := newLedger(t)
	release := make(chan error)
	c, _ := runCommitter(t, l, CommitterConfig{Before: func(context.Context) error { return <-release }})
	answers := make(chan answer, 2)
	submit(t, c, answers, 1)
	lost := errors.New("the outputs are lost")
	release <- lost
	if a := <-answers; !errors.Is(a.err, lost) {
		t.Errorf("answered %+v, want the error of Before", a)
	}
	if _, found, err := l.Lookup(testID(1)); found || err != nil {
		t.Errorf("in the ledger: %v, %v", found, err)
	}
	submit(t, c, answers, 1)
	release <- nil
	if a := <-answers; a != (answer{n: 1}) {
		t.Errorf("answered %+v", a)
	}
	if _, found, err := l.Lookup(testID(1)); !found || err != nil {
		t.Errorf("in the ledger: %v, %v", found, err)
	}
}

// passing is an error that passes.
type passing struct{}

func (passing) Error() string   { return "the disk is full" }
func (passing) Temporary() bool { return true }

func TestTheDiskIsFullForAWhile(t *testing.T) {
	l := newLedger(t)
	var log strings.Builder
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		var tries atomic.Int64
		full.Store(true)
		c, stop := runCommitter(t, l, CommitterConfig{
			MaxBatch: 2, MaxPending: 3,
			Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Before: func(context.Context) error {
				tries.Add(1)
				if full.Load() {
					return passing{}
				}
				return nil
			},
		})
		answers := make(chan answer, 10)
		for i := range 3 {
			submit(t, c, answers, i)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := c.Submit(ctx, testEntry(3), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Submit with no room = %v, want to wait", err)
		}
		if c.Err() == nil || c.Pending() != 3 || len(answers) != 0 {
			t.Errorf("Err = %v, %d pending, %d answered", c.Err(), c.Pending(), len(answers))
		}
		if n := tries.Load(); n < 12 || n > 30 {
			t.Errorf("tried %d times in a minute", n)
		}
		full.Store(false)
		for i := range 3 {
			if a := <-answers; a != (answer{n: i}) {
				t.Errorf("answered %+v", a)
			}
		}
		if err := stop(); err != nil || c.Err() != nil {
			t.Errorf("Run = %v, Err = %v", err, c.Err())
		}
	})
	if said := log.String(); strings.Count(said, "\n") != 2 || !strings.Contains(said, "the disk is full") {
		t.Errorf("logged:\n%s", said)
	}
}

func TestRunEndsWithEverythingCommittedOrTold(t *testing.T) {
	for _, full := range []bool{false, true} {
		t.Run(fmt.Sprintf("full=%v", full), func(t *testing.T) {
			l := newLedger(t)
			blocked, release := make(chan bool, 100), make(chan bool)
			c, stop := runCommitter(t, l, CommitterConfig{MaxBatch: 2, MaxPending: 5, Before: func(context.Context) error {
				blocked <- true
				<-release
				if full {
					return passing{}
				}
				return nil
			}})
			answers := make(chan answer, 10)
			submit(t, c, answers, 0)
			<-blocked // the first commit is at work
			for i := range 4 {
				submit(t, c, answers, 1+i)
			}
			waiting := make(chan error, 1)
			go func() { waiting <- c.Submit(t.Context(), testEntry(9), func(bool, error) {}) }()
			ended := make(chan error, 1)
			go func() { ended <- stop() }()
			close(release)
			if err := <-ended; err != nil {
				t.Errorf("Run = %v", err)
			}
			for i := range 5 {
				a := <-answers
				if a.n != i || (a.err != nil) != full {
					t.Errorf("answered %+v", a)
				}
				if _, found, err := l.Lookup(testID(i)); found == full || err != nil {
					t.Errorf("entry %d in the ledger: %v, %v", i, found, err)
				}
			}
			if err := <-waiting; err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("the Submit that waited = %v", err)
			}
			if err := c.Submit(t.Context(), testEntry(10), nil); !errors.Is(err, ErrClosed) {
				t.Errorf("Submit after the end = %v", err)
			}
			if c.Pending() != 0 {
				t.Errorf("%d are pending", c.Pending())
			}
		})
	}
}

func TestTheLedgerIsDamagedUnderACommitter(t *testing.T) {
	l := newLedger(t)
	c, err := NewCommitter(l, CommitterConfig{MaxBatch: 1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	answers := make(chan answer, 3)
	for i := range 3 {
		submit(t, c, answers, i)
	}
	damage := l.damaged("a test did it")
	if err := l.guard(func() error { return damage }); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	if err := c.Run(t.Context()); !errors.Is(err, ErrDamaged) {
		t.Errorf("Run = %v", err)
	}
	for i := range 3 {
		if a := <-answers; a.n != i || !errors.Is(a.err, ErrDamaged) {
			t.Errorf("answered %+v", a)
		}
	}
}

func TestInvalidEntriesNeverReachABatch(t *testing.T) {
	c, _ := runCommitter(t, newLedger(t), CommitterConfig{})
	if err := c.Submit(t.Context(), Entry{}, nil); err == nil {
		t.Error("an empty entry was taken")
	}
	if c.Pending() != 0 {
		t.Errorf("%d are pending", c.Pending())
	}
}

func TestCommitterConfigIsCheckedInSentences(t *testing.T) {
	for _, cfg := range []CommitterConfig{
		{Interval: -1}, {Interval: 51 * time.Millisecond}, {MaxBatch: -1}, {MaxBatch: 10, MaxPending: 9},
	} {
		if _, err := NewCommitter(nil, cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	if err := (CommitterConfig{MaxBatch: 100_000}).Validate(); err != nil {
		t.Error(err)
	}
}
