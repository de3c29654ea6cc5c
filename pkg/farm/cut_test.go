package farm_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// sleeper is an engine whose transforms take their time.
type sleeper struct {
	echo
	takes time.Duration
}

func (s *sleeper) Transform(ctx context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	select {
	case <-time.After(s.takes):
		return s.echo.Transform(ctx, data, r)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// warnings keeps what the roles log as warnings.
type warnings struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (w *warnings) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// The second Ctrl-C cuts a run: the sink still learns how it ended, and no role complains that another went away.
func TestCutRunTellsItsSinkAndWarnsOfNothing(t *testing.T) {
	cfg := newConfig(t, images(t, numbered(20)...), t.TempDir(), &sleeper{takes: time.Hour})
	var said warnings
	log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cfg.Ventilator.Logger, cfg.Worker.Logger, cfg.Sink.Logger = log, log, log
	synctest.Test(t, func(t *testing.T) {
		errCut := errors.New("the second Ctrl-C")
		ctx, cut := context.WithCancelCause(t.Context())
		defer cut(nil)
		f, err := farm.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(5*time.Second, f.Drain)
		time.AfterFunc(10*time.Second, func() { cut(errCut) })
		run, err := f.Run(ctx)
		if !errors.Is(err, errCut) || strings.Contains(err.Error(), "\n") {
			t.Errorf("the run ended with %v", err)
		}
		if said.out.Len() > 0 {
			t.Errorf("the roles warn: %s", said.out.String())
		}
		runs, err := f.Sink().Runs(t.Context())
		if err != nil || len(runs) != 1 || runs[0].ID != run.ID || runs[0].State != "interrupted" || runs[0].Ended.IsZero() {
			t.Errorf("the ledger has %+v, %v", runs, err)
		}
	})
}

// The first Ctrl-C waits for the images at work alone.
func TestDrainedFarmWaitsForImagesAtWorkAlone(t *testing.T) {
	const takes = time.Minute
	e := &sleeper{takes: takes}
	cfg := newConfig(t, images(t, numbered(40)...), t.TempDir(), e)
	synctest.Test(t, func(t *testing.T) {
		f, err := farm.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		time.AfterFunc(takes/2, f.Drain)
		run, err := f.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > takes+5*time.Second {
			t.Errorf("the drain ended after %v", took)
		}
		if run.Found != 2 || run.Done != 2 || run.Unsettled() != 0 || run.State != "interrupted" || e.transforms() != 2 {
			t.Errorf("%d transforms; the run says %+v", e.transforms(), run)
		}
	})
}
