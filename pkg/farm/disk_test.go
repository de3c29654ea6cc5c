package farm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// away is a store whose disk is away until a moment: calls fail, or wait, as they do on a network file system.
type away struct {
	sink.Store
	until  time.Time
	hangs  bool
	writes bool // are kept; it is syncs that are not
}

func (a *away) wait() error {
	left := time.Until(a.until)
	if left > 0 && !a.hangs {
		return &blob.Fault{Kind: blob.ErrUnavailable, Op: "write", Why: "no space left"}
	}
	time.Sleep(left) // virtual: the tests run in bubbles
	return nil
}

func (a *away) Put(ctx context.Context, name string, data []byte) error {
	if !a.writes {
		if err := a.wait(); err != nil {
			return err
		}
	}
	return a.Store.Put(ctx, name, data)
}

func (a *away) Flush(ctx context.Context) error {
	if err := a.wait(); err != nil {
		return err
	}
	return a.Store.Flush(ctx)
}

// A disk that takes nothing for an hour is no image's fault, and no worker's; and one image that is refused
// meanwhile keeps nobody from steering the run. A few images do not fill the sink, so that it goes on hearing
// workers.
func TestDiskThatIsAwayForAnHourOnlyDelaysARun(t *testing.T) {
	for _, c := range []struct {
		what   string
		hangs  bool
		writes bool
		images int
	}{
		{"full", false, false, 60},
		{"full, with one image left", false, false, 1},
		{"hanging", true, false, 60},
		{"hanging, with one image left", true, false, 1},
		{"full at a sync", false, true, 200},
		{"hanging in a sync", true, true, 200},
	} {
		t.Run(c.what, func(t *testing.T) {
			why := "no space left"
			if c.hangs {
				why = "the disk has not answered since"
			}
			e := &echo{}
			cfg := newConfig(t, images(t, append(numbered(c.images), strings.Repeat("large ", 1000))...), t.TempDir(), e)
			disk := &away{Store: cfg.Sink.Out, hangs: c.hangs, writes: c.writes}
			cfg.Sink.Out = disk
			cfg.Ventilator.MaxMessage = 1000
			var waiting atomic.Value
			cfg.Ventilator.Watch = func(r wire.Run) { waiting.Store(r.Waiting) }
			synctest.Test(t, func(t *testing.T) {
				disk.until = time.Now().Add(time.Hour)
				f, err := farm.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				half := time.AfterFunc(time.Hour/2, func() {
					status := f.Sink().Status()
					if len(status.Workers) != 1 || status.Workers[0].Lost {
						t.Errorf("half an hour later the workers are %+v", status.Workers)
					}
					if said := fmt.Sprint(waiting.Load()); !strings.Contains(status.Trouble, why) || !strings.Contains(said, why) ||
						f.Sink().Ready() == nil {
						t.Errorf("half an hour later the sink says %q, the ventilator %q, ready: %v", status.Trouble, said,
							f.Sink().Ready())
					}
					if err := f.Sink().Steer(t.Context(), wire.Steering{State: "running"}); err != nil {
						t.Errorf("half an hour later the run cannot be steered: %v", err)
					}
				})
				defer half.Stop()
				got, err := f.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				n := int64(c.images)
				if got.Found != n+1 || got.Done != n || got.Rejected != 1 || got.Deliveries != n || e.transforms() != c.images {
					t.Errorf("%d transforms; the run says %+v", e.transforms(), got)
				}
				if status := f.Sink().Status(); status.Trouble != "" || status.Failed > 0 {
					t.Errorf("in the end the sink says %+v", status)
				}
			})
		})
	}
}

// A run whose disk takes nothing ends soon after its stall timeout, or after it was cut, whatever the disk does and
// wherever the outputs are written.
func TestRunOnADiskThatTakesNothingEnds(t *testing.T) {
	errLate := errors.New("the drain took too long")
	for _, c := range []struct {
		what     string
		hangs    bool
		writes   bool
		atWorker bool // the worker writes the outputs
		drains   bool // instead of stalling
	}{
		{what: "full"},
		{what: "full at a sync", writes: true},
		{what: "hanging", hangs: true},
		{what: "hanging in a sync", hangs: true, writes: true},
		{what: "full at the worker", atWorker: true},
		{what: "hanging at the worker", atWorker: true, hangs: true},
		{what: "full, drained", drains: true},
		{what: "hanging, drained", hangs: true, drains: true},
		{what: "full at the worker, drained", atWorker: true, drains: true},
		{what: "hanging at the worker, drained", atWorker: true, hangs: true, drains: true},
	} {
		t.Run(c.what, func(t *testing.T) {
			cfg := newConfig(t, images(t, numbered(60)...), t.TempDir(), &echo{})
			disk := &away{Store: cfg.Sink.Out, hangs: c.hangs, writes: c.writes}
			if c.atWorker {
				cfg.Worker.Out = disk
			} else {
				cfg.Sink.Out = disk
			}
			const limit = 5 * time.Second
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				disk.until = began.Add(time.Hour)
				ctx, cut := context.WithCancelCause(t.Context())
				defer cut(nil)
				want := ventilator.ErrStalled
				if c.drains {
					want = errLate
				} else {
					cfg.Ventilator.StallTimeout = limit
				}
				f, err := farm.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				if c.drains {
					time.AfterFunc(limit/2, f.Drain)
					time.AfterFunc(limit, func() { cut(errLate) })
				}
				_, err = f.Run(ctx)
				if !errors.Is(err, want) {
					t.Errorf("the run ended with %v, want %v", err, want)
				}
				if took := time.Since(began); took > limit+farm.CutTimeout+2*time.Second {
					t.Errorf("the run took %v", took)
				}
				var stuck *farm.StuckError
				if errors.As(err, &stuck) != c.hangs {
					t.Errorf("of a disk that hangs: %v the run says %v", c.hangs, err)
				}
				time.Sleep(time.Until(disk.until) + time.Minute) // what was left behind ends, too
			})
		})
	}
}
