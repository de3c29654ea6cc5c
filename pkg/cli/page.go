package cli

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/urfave/cli/v3"
	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/dashboard"
	"github.com/imagefarm/imagefarm/pkg/sink"
)

// pageOf returns the live page of s. endsWithRun says that s ends with its run. report answers /report.html; nil: none.
func pageOf(
	c *cli.Command, s *sink.Sink, report http.Handler, endsWithRun bool, log *slog.Logger,
) (*dashboard.Dashboard, error) {
	cfg := dashboard.Config{Source: s, Outputs: s, EndsWithRun: endsWithRun, Report: report, Logger: log}
	if asksForTokens(c) { // otherwise nobody could be told from an operator
		cfg.Actions = s
	}
	return dashboard.New(cfg)
}

// pageService runs the live page. It shows the last state of what do did before it ends.
func pageService(page *dashboard.Dashboard) service {
	return func(ctx context.Context, do func(context.Context) error) error {
		showing, stop := context.WithCancel(context.WithoutCancel(ctx))
		defer stop()
		var pages errgroup.Group
		pages.Go(func() error { return page.Run(showing) })
		err := do(ctx)
		stop()
		if pageErr := pages.Wait(); err == nil {
			err = pageErr
		}
		return err
	}
}
