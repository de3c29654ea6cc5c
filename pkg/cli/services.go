package cli

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// service calls do once, and runs beside it. It returns when both have ended, with do's error if that failed.
type service func(ctx context.Context, do func(context.Context) error) error

// services run beside a role.
type services []service

// around calls do inside all services: the first one starts first and ends last.
func (s services) around(ctx context.Context, do func(context.Context) error) error {
	if len(s) == 0 {
		return do(ctx)
	}
	return s[0](ctx, func(ctx context.Context) error { return s[1:].around(ctx, do) })
}

// adminService serves health and metrics. A nil admin serves nothing.
func adminService(admin *telemetry.Admin) service {
	return func(ctx context.Context, do func(context.Context) error) error {
		if admin == nil {
			return do(ctx)
		}
		return beside(ctx, admin.Run, do)
	}
}

// beside calls do while run runs, and ends run's context after do returned. When either fails, the other's context
// ends, too.
func beside(ctx context.Context, run, do func(context.Context) error) error {
	group, gctx := errgroup.WithContext(ctx)
	running, stop := context.WithCancel(gctx)
	defer stop()
	group.Go(func() error { return run(running) })
	group.Go(func() error {
		defer stop()
		return do(gctx)
	})
	return causeOf(ctx, group.Wait())
}

// causeOf replaces an error that only says that ctx ended by the reason for which it did.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, context.Canceled) {
		return cause
	}
	return err
}

// closeAfter closes what a role used, unless the role was left behind: it uses that still, and the process is to end.
func closeAfter(err error, closeStores func() error) error {
	var stuck *farm.StuckError
	if errors.As(err, &stuck) {
		return err
	}
	return errors.Join(err, closeStores())
}
