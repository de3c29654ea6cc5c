package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// CommitterConfig is how a Committer groups entries. The zero CommitterConfig is valid.
type CommitterConfig struct {
	// Interval is the least time between the beginnings of two commits, in which entries gather. The first entry
	// after a pause is committed at once, and a full batch too. Default (0): 10 ms. At most 50 ms.
	Interval time.Duration

	// MaxBatch is how many entries one commit takes. Default (0): 1000.
	MaxBatch int

	// MaxPending is how many entries may be submitted and not committed; Submit waits while there are so many.
	// Default (0): 8192. At least MaxBatch.
	MaxPending int

	// Before is called before each commit and makes durable what the batch's entries tell of: the outputs. While it
	// fails with an error that is Temporary, it is called again; with any other, the batch's entries are not
	// committed and their callers told. Default (nil): nothing.
	Before func(context.Context) error

	// Observe is called after each commit that succeeded with how many entries it took (duplicates too) and how
	// long, Before included. Default (nil): nothing.
	Observe func(entries int, took time.Duration)

	// Logger is told when commits begin to fail and when they succeed again. Default (nil): nobody.
	Logger *slog.Logger
}

func (c CommitterConfig) withDefaults() CommitterConfig {
	if c.Interval == 0 {
		c.Interval = 10 * time.Millisecond
	}
	if c.MaxBatch == 0 {
		c.MaxBatch = 1000
	}
	if c.MaxPending == 0 {
		c.MaxPending = max(8192, c.MaxBatch)
	}
	if c.Before == nil {
		c.Before = func(context.Context) error { return nil }
	}
	if c.Observe == nil {
		c.Observe = func(int, time.Duration) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate reports what is wrong with c.
func (c CommitterConfig) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Interval < 0 || c.Interval > 50*time.Millisecond:
		return fmt.Errorf("the commit interval is %v, not between 0 and 50ms", c.Interval)
	case c.MaxBatch < 1:
		return fmt.Errorf("a batch takes %d entries, not at least 1", c.MaxBatch)
	case c.MaxPending < c.MaxBatch:
		return fmt.Errorf("%d entries may be pending, fewer than a batch takes, %d", c.MaxPending, c.MaxBatch)
	}
	return nil
}

// Committer groups entries that come one by one into transactions. While commits cannot succeed because the disk is
// full, it keeps what it has, tries again (after 100 ms, then less and less often, at least every 5 s), and takes no
// more than MaxPending entries: whoever submits waits.
type Committer struct {
	ledger *Ledger
	cfg    CommitterConfig
	room   chan struct{} // holds one for each entry that is pending
	wake   chan struct{} // tells Run that entries came
	ended  chan struct{} // closed when Run takes no more

	mu      sync.Mutex
	pending []submitted
	closed  bool
	failing error // of the latest commit, while commits fail
}

type submitted struct {
	entry Entry
	done  func(duplicate bool, err error)
}

// NewCommitter returns a Committer for l, which Run sets to work.
func NewCommitter(l *Ledger, cfg CommitterConfig) (*Committer, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	return &Committer{
		ledger: l,
		cfg:    cfg,
		room:   make(chan struct{}, cfg.MaxPending),
		wake:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}, nil
}

// Submit hands over e and returns; done is called by Run, once, in the order of submission, and must not block. With
// a nil error e, or if duplicate an earlier entry of the task, is on disk; with any other it is not, and the task is
// as unsettled as before.
//
// Submit waits while MaxPending entries are pending. It fails, and done is never called, when e is invalid, when ctx
// ends, and with ErrClosed when Run has ended.
func (c *Committer) Submit(ctx context.Context, e Entry, done func(duplicate bool, err error)) error {
	if err := e.Validate(); err != nil {
		return err
	}
	select {
	case c.room <- struct{}{}:
	case <-c.ended:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		<-c.room
		return ErrClosed
	}
	c.pending = append(c.pending, submitted{e, done})
	n := len(c.pending)
	c.mu.Unlock()
	if n == 1 || n == c.cfg.MaxBatch {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// Pending returns how many entries are submitted and not committed.
func (c *Committer) Pending() int { return len(c.room) }

// Err returns why the latest commit failed, and nil if it succeeded.
func (c *Committer) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failing
}

// Run commits what is submitted until ctx ends; then it takes no more, commits what is pending (without trying again)
// and returns nil. It returns an error at once when the ledger is damaged or closed. It is called once.
func (c *Committer) Run(ctx context.Context) error {
	var begun time.Time // of the latest commit
	for ctx.Err() == nil {
		if !c.gather(ctx, begun) {
			break
		}
		begun = time.Now()
		if err := c.commit(ctx, c.take(c.cfg.MaxBatch)); err != nil {
			c.end(err)
			return err
		}
	}
	return c.end(nil)
}

// gather waits until a batch should be committed; begun is when the latest was. It returns false when ctx ends.
func (c *Committer) gather(ctx context.Context, begun time.Time) bool {
	for c.waiting() == 0 {
		select {
		case <-c.wake:
		case <-ctx.Done():
			return false
		}
	}
	pause := time.NewTimer(c.cfg.Interval - time.Since(begun))
	defer pause.Stop()
	for c.waiting() < c.cfg.MaxBatch {
		select {
		case <-pause.C:
			return true
		case <-c.wake:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (c *Committer) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// take removes up to n entries from the front of those that wait.
func (c *Committer) take(n int) []submitted {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = min(n, len(c.pending))
	batch := c.pending[:n:n]
	c.pending = c.pending[n:]
	if len(c.pending) == 0 {
		c.pending = nil // let go of what was committed
	}
	return batch
}

// commit commits a batch and tells its submitters, trying again while that can help and ctx has not ended. It returns
// an error only if no further commit can succeed.
func (c *Committer) commit(ctx context.Context, batch []submitted) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		duplicates, err := c.try(ctx, batch)
		c.report(err)
		if temporary(err) && sleep(ctx, wait) {
			continue
		}
		for i, s := range batch {
			s.done(err == nil && duplicates[i], err)
			<-c.room
		}
		if errors.Is(err, ErrDamaged) || errors.Is(err, ErrClosed) {
			return err
		}
		return nil
	}
}

func (c *Committer) try(ctx context.Context, batch []submitted) ([]bool, error) {
	begun := time.Now()
	// What is pending is brought to its end even if ctx ends meanwhile: whether it succeeded would be unknown.
	if err := c.cfg.Before(context.WithoutCancel(ctx)); err != nil {
		return nil, fmt.Errorf("before committing %d entries: %w", len(batch), err)
	}
	entries := make([]Entry, len(batch))
	for i, s := range batch {
		entries[i] = s.entry
	}
	duplicates, err := c.ledger.Append(entries)
	if err == nil {
		c.cfg.Observe(len(batch), time.Since(begun))
	}
	return duplicates, err
}

// report keeps what Err returns, and logs when it changes.
func (c *Committer) report(err error) {
	c.mu.Lock()
	was := c.failing
	c.failing = err
	c.mu.Unlock()
	if err != nil && was == nil {
		c.cfg.Logger.Error("results cannot be committed", "err", err, "temporary", temporary(err))
	}
	if err == nil && was != nil {
		c.cfg.Logger.Info("results are committed again")
	}
}

// end takes no more entries, commits those that are pending, or tells their submitters if the ledger failed.
func (c *Committer) end(failed error) error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	close(c.ended)
	cut, cancel := context.WithCancel(context.Background())
	cancel() // nothing is tried again
	for batch := c.take(c.cfg.MaxBatch); len(batch) > 0; batch = c.take(c.cfg.MaxBatch) {
		if failed == nil {
			failed = c.commit(cut, batch)
			continue
		}
		for _, s := range batch {
			s.done(false, failed)
			<-c.room
		}
	}
	return failed
}

func temporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// sleep waits for d and returns true, or returns false when ctx ends.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
