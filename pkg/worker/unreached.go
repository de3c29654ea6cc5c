package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// An endpoint that cannot be reached is logged after reportAfter, so that programs started together need not be in
// order, and again every reportEvery.
const (
	reportAfter = 3 * time.Second
	reportEvery = time.Minute
)

// reportUnreached logs ventilators and sinks that cannot be reached until ctx ends.
func (w *Worker) reportUnreached(ctx context.Context) {
	reported := make(map[string]time.Time) // when each endpoint was last logged
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			for _, err := range append(w.pull.Unreached(), w.push.Unreached()...) {
				if now.Sub(err.Since) < reportAfter || now.Sub(reported[err.Endpoint]) < reportEvery {
					continue
				}
				reported[err.Endpoint] = now
				w.log.Warn(err.Error())
			}
		}
	}
}

// unconnected says that the worker has no connection to a role, and why.
func unconnected(to string, unreached []*zsock.UnreachedError) error {
	errs := make([]error, len(unreached))
	for i, err := range unreached {
		errs[i] = err
	}
	if why := errors.Join(errs...); why != nil {
		return fmt.Errorf("not connected to %s: %w", to, why)
	}
	return fmt.Errorf("not connected to %s", to)
}
