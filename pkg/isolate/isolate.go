package isolate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

var _ engine.Engine = (*Engine)(nil)

// Engine is an engine.Engine that transforms in child processes while its Run runs.
type Engine struct {
	cfg     Config
	pool    *pool
	store   atomic.Pointer[store] // nil before and after Run, and without shared memory
	lender  atomic.Pointer[store] // the same, kept after Run for buffers that are released then
	started atomic.Bool
	outer   []Layer // of the sandbox, in force before a child begins; set by forker before it starts the first

	piped     bool       // tests: as if the system had no shared memory
	bare      bool       // tests: as if the system had no sandbox
	inherited []*os.File // tests: more descriptors for children

	mu      sync.Mutex
	starts  uint64
	ended   map[Cause]uint64
	sandbox []Layer // of the last child that became ready
}

// New returns an Engine; it starts nothing.
func New(c Config) (*Engine, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("isolate: %w", err)
	}
	c = c.withDefaults()
	e := &Engine{cfg: c, pool: newPool(c.Slots), ended: make(map[Cause]uint64)}
	for _, cause := range Causes() {
		e.ended[cause] = 0
	}
	return e, nil
}

// Name returns Config.Engine.
func (e *Engine) Name() string { return e.cfg.Engine }

// Transform implements engine.Engine. It waits for a child, also for Run to start one, and may wait in a busy child's
// queue (Turns). Stages.Waited says how long it waited; TaskTimeout does not count that time.
//
// Besides what the child's engine rejects, Transform rejects an image for timeout, out-of-memory and crashed, and as
// too large when it is beyond MaxInput or its outputs are beyond MaxOutput. Any other error, such as ErrStopped, is the
// farm's fault. When the context ends, Transform kills the child that works on the image and returns the context's
// cause.
func (e *Engine) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if n := int64(len(data)); n > e.cfg.MaxInput {
		return nil, outcome.Reject(outcome.TooLarge, "%s, the limit is %s", sizeText(n), sizeText(e.cfg.MaxInput))
	}
	text := r.String()
	if len(text) > recipe.MaxText || len(r.Variants) > recipe.MaxVariants {
		return nil, fmt.Errorf("isolate: a recipe of %d bytes and %d variants, the limits are %d and %d",
			len(text), len(r.Variants), recipe.MaxText, recipe.MaxVariants)
	}
	came := time.Now()
	want, libraries := anyChild, e.cfg.Libraries(ctx, data, r)
	untouched := 0
	for deaths := 0; ; {
		c, err := e.pool.acquire(ctx, want, libraries)
		if err != nil {
			return nil, err
		}
		rep, err := c.transform(ctx, data, text, r.Variants)
		e.pool.release(c)
		var d *death
		switch {
		case err == nil && rep.rejection != nil:
			return nil, rep.rejection
		case err == nil && rep.result == nil:
			return nil, fmt.Errorf("isolate: %s: %s", e.cfg.Engine, rep.failure)
		case err == nil:
			rep.result.Stages.Waited = waited(came, rep.began, time.Now(), rep.result.Stages)
			return rep.result, nil
		case errors.As(err, &d):
		case untouched < 3: // the child died before it began: take another
			untouched++
			want = max(want, idleChild)
			continue
		default:
			return nil, fmt.Errorf("isolate: %w", err)
		}
		switch d.cause {
		case Cancelled:
			return nil, context.Cause(ctx)
		case Starved:
			return nil, fmt.Errorf("%w: it got only %v of processor time in %v", ErrStarved,
				d.clock.spent.Round(time.Millisecond), d.clock.looked.Sub(d.clock.began).Round(lookPeriod))
		}
		if deaths++; deaths == 2 || d.proven() {
			return nil, d.rejection(e.cfg.TaskTimeout, e.cfg.TaskMemory)
		}
		want = freshChild
	}
}

// waited returns how long an image that came and was done at those times was not worked on before its turn. A child
// begins with the next image while its answer to the one before is still being read here, so began may be late: what
// the stages took was no waiting.
func waited(came, began, done time.Time, s engine.Stages) time.Duration {
	return max(0, min(began.Sub(came), done.Sub(came)-s.Decode-s.Transform-s.Encode))
}

// Buffer returns n bytes of memory, not cleared, for an image to be received into. An image that lies in it, or in a
// part of it, reaches a child without being copied; the caller must not change it during Transform, and returns it with
// Release. There are Config.Buffers such buffers, of at most MaxInput bytes each. When none is left, or Run does not
// run, the memory is ordinary and Transform copies the image.
func (e *Engine) Buffer(n int) []byte {
	if s := e.store.Load(); s != nil {
		if b := s.lend(n); b != nil {
			return b
		}
	}
	return make([]byte, n)
}

// Release takes back a buffer, or a part of it that is not empty; the caller must not use it afterwards. Release
// ignores memory that did not come from Buffer.
func (e *Engine) Release(b []byte) {
	if s := e.lender.Load(); s != nil {
		s.giveBack(b)
	}
}
