package sink

import (
	"fmt"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/diskfault"
)

// disk tracks the calls of the sink that the disk has not answered. Several may be pending at once: on a disk that is
// nearly full, small outputs are written while a large one waits for room.
type disk struct {
	mu    sync.Mutex
	calls map[*diskCall]struct{} // that have not returned
}

// diskCall is one call: a write, a flush, a look.
type diskCall struct {
	what  string // "outputs" or "ledger"
	since time.Time
	err   error // of the last attempt; nil before the first has failed
}

// stalledAfter is how long a call may take before it counts as trouble. A disk that hangs returns no error.
const stalledAfter = 5 * time.Second

func newDisk() *disk { return &disk{calls: make(map[*diskCall]struct{})} }

func (d *disk) begin(what string, now time.Time) *diskCall {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := &diskCall{what: what, since: now}
	d.calls[c] = struct{}{}
	return c
}

// failed notes that an attempt of c failed. The caller tries again.
func (d *disk) failed(c *diskCall, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c.err = err
}

func (d *disk) end(c *diskCall) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.calls, c)
}

// trouble returns why the sink cannot work, in a sentence, and the kind of that fault. Both are those of the call that
// has waited longest, and empty while the sink can work.
func (d *disk) trouble(now time.Time) (string, diskfault.Kind) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var first *diskCall
	for c := range d.calls {
		if (c.err != nil || now.Sub(c.since) >= stalledAfter) && (first == nil || c.since.Before(first.since)) {
			first = c
		}
	}
	switch {
	case first == nil:
		return "", diskfault.None
	case first.err == nil:
		return fmt.Sprintf("%s: the disk has not answered since %s", first.what,
			first.since.Format(time.TimeOnly)), diskfault.Stuck
	}
	return first.err.Error(), diskfault.Of(first.err)
}
