package ventilator

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// The first walk of a large library, or on a slow mount, takes minutes.
func TestDrainIsNoticedDuringTheFirstWalk(t *testing.T) {
	inVirtualTime(t, 100, func(t *testing.T, s *testbed) {
		v, err := New(s.config())
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		v.finder.sources[0] = watchedSource{v.finder.sources[0], func() {
			if seen++; seen == 3 {
				v.Drain()
				synctest.Wait() // until the run has noticed it
			}
		}}
		_, err = v.look(s.ctx)
		if !errors.Is(err, errDrained) || seen != 3 {
			t.Errorf("%d of 100 images were visited, and the walk ended with %v", seen, err)
		}
		if why := v.Ready(); why == nil || why.Error() != "draining" {
			t.Errorf("Ready returned %v", why)
		}
	})
}

// watchedSource calls seen before each entry of a walk.
type watchedSource struct {
	source.Source
	seen func()
}

func (w watchedSource) Walk(ctx context.Context, visit func(source.Entry) error, omit func(source.Omission)) error {
	return w.Source.Walk(ctx, func(e source.Entry) error {
		w.seen()
		return visit(e)
	}, omit)
}

func TestDryRunDrains(t *testing.T) {
	inVirtualTime(t, 2000, func(t *testing.T, s *testbed) {
		cfg := s.config()
		cfg.DryRun = true
		var v *Ventilator
		lines := 0
		cfg.Report = func(line string) error {
			if lines++; lines == 1 {
				v.Drain()
				synctest.Wait()
			}
			if !strings.HasPrefix(line, "make\t") {
				t.Error(line)
			}
			return nil
		}
		var err error
		if v, err = New(cfg); err != nil {
			t.Fatal(err)
		}
		var run wire.Run
		if run, err = v.Run(s.ctx); err != nil || run.Found == 2000 || lines > batchMin+2*batchMin {
			t.Errorf("the dry run ended after %d lines with %v and %+v", lines, err, run)
		}
	})
}

func TestDryRunEndsWhenItsLinesCannotBeWritten(t *testing.T) {
	inVirtualTime(t, 2000, func(t *testing.T, s *testbed) {
		cfg := s.config()
		cfg.DryRun = true
		lines := 0
		cfg.Report = func(string) error {
			if lines++; lines == 3 {
				return io.ErrClosedPipe
			}
			return nil
		}
		v, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := v.Run(s.ctx); !errors.Is(err, io.ErrClosedPipe) || lines != 3 {
			t.Errorf("the dry run ended after %d lines with %v", lines, err)
		}
	})
}
