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

// pageFlags configure the actions of the live page.
func pageFlags() []cli.Flag {
	return []cli.Flag{
		yes(showing, "allow-actions", "offer retry, pause and cancel on the live page, by token"),
		text(showing, "action-token", "", "`TOKEN` for these actions, at least 8 bytes; better set by its variable"),
	}
}

// checkPageFlags refuses invalid pageFlags before any work.
func checkPageFlags(c *cli.Command) error {
	if c.Bool("allow-actions") && len(c.String("action-token")) < 8 {
		return usagef("--allow-actions needs --action-token (or IMAGEFARM_ACTION_TOKEN) of at least 8 characters")
	}
	return nil
}

// pageOf returns the live page of s. endsWithRun says that s ends with its run. report answers /report.html; nil: none.
func pageOf(
	c *cli.Command, s *sink.Sink, report http.Handler, endsWithRun bool, log *slog.Logger,
) (*dashboard.Dashboard, error) {
	cfg := dashboard.Config{Source: s, Outputs: s, EndsWithRun: endsWithRun, Report: report, Logger: log}
	if c.Bool("allow-actions") {
		cfg.Actions, cfg.ActionToken = s, c.String("action-token")
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
