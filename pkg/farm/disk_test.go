package farm_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// away is a store whose disk is away until a moment: calls fail, or wait, as they do on a network file system.
type away struct {
	sink.Store
	until time.Time
	hangs bool
}

func (a *away) Put(ctx context.Context, name string, data []byte) error {
	left := time.Until(a.until)
	switch {
	case left <= 0:
		return a.Store.Put(ctx, name, data)
	case a.hangs:
		time.Sleep(left)
		return a.Store.Put(ctx, name, data)
	}
	return &blob.Fault{Kind: blob.ErrUnavailable, Op: "write", Why: "no space left"}
}

// A disk that takes nothing for an hour is no image's fault, and no worker's.
func TestDiskThatIsAwayForAnHourOnlyDelaysARun(t *testing.T) {
	for why, hangs := range map[string]bool{"no space left": false, "results have waited to be written": true} {
		t.Run(why, func(t *testing.T) {
			const n = 60
			e := &echo{}
			cfg := newConfig(t, images(t, numbered(n)...), t.TempDir(), e)
			disk := &away{Store: cfg.Sink.Out, hangs: hangs}
			cfg.Sink.Out = disk
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
					if said := fmt.Sprint(waiting.Load()); !strings.Contains(status.Trouble, why) || !strings.Contains(said, why) || f.Sink().Ready() == nil {
						t.Errorf("half an hour later the sink says %q, the ventilator %q, ready: %v", status.Trouble, said, f.Sink().Ready())
					}
				})
				defer half.Stop()
				got, err := f.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got.Done != n || got.Found != n || got.Deliveries != n || e.transforms() != n {
					t.Errorf("%d transforms; the run says %+v", e.transforms(), got)
				}
				if status := f.Sink().Status(); status.Trouble != "" || status.Failed > 0 || status.Duplicates > 0 {
					t.Errorf("in the end the sink says %+v", status)
				}
			})
		})
	}
}
