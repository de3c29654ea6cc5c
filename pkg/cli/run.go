package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "find images, transform them and keep the ledger, in one process",
		ArgsUsage: "DIR|FILE|- …",
		Description: `The ventilator, a worker and the sink in one process: the same code and the same messages as between machines.

   farm run ~/Pictures --out ~/thumbnails
   farm run --variant 'web=fit:1280x1280,format:webp' ~/Pictures`,
		Flags:  concat(storeFlags(), recipeFlags(), findFlags(), transformFlags(), pageFlags(), commonFlags("127.0.0.1:8080")),
		Action: runFarm,
	}
}

// runFarm runs the three roles in this process until the run has ended.
func runFarm(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	r := &localRun{c: c, log: log, registry: telemetry.NewRegistry()}
	for _, step := range []func() error{
		r.configureVentilator,
		r.refuseWhatCannotWork,
		r.openListeners,
		r.configureWorker,
		r.openStores,
		r.compose,
		r.serve,
	} {
		if err := step(); err != nil {
			return errors.Join(err, r.close())
		}
	}
	ctx, first, stop := signals(ctx, log, c.Duration("drain-timeout"), r.farm.Drain)
	defer stop()
	var run wire.Run
	err = r.services.around(ctx, func(ctx context.Context) (err error) {
		run, err = r.farm.Run(ctx)
		return err
	})
	err = closeAfter(err, r.close)
	return finish(c, run, err, first(), r.show, r.farm.Unreadable(), "--out "+c.String("out"))
}

// localRun is what `farm run` opens, step by step, before the run begins.
type localRun struct {
	c        *cli.Command
	log      *slog.Logger
	registry *prometheus.Registry

	config      farm.Config
	show        progress.Reporter
	engine      *runningEngine
	listeners   *listeners
	closeStores func() error // nil until the stores are open
	farm        *farm.Farm
	services    services
}

func (r *localRun) configureVentilator() (err error) {
	r.config.Ventilator, r.show, err = ventilatorConfig(r.c, r.log, r.registry)
	return err
}

// refuseWhatCannotWork checks the flags that only make sense together, before anything is opened.
func (r *localRun) refuseWhatCannotWork() error {
	if err := checkPageFlags(r.c); err != nil {
		return err
	}
	if err := refuseInside("outputs", "out", r.c.String("out"), r.config.Ventilator.Inputs); err != nil {
		return err
	}
	return refuseMissingAssets(r.c.String("assets"), r.config.Ventilator.Recipe)
}

func (r *localRun) openListeners() (err error) {
	if r.listeners, err = listenersOf(r.c, r.log); err != nil {
		return err
	}
	r.config.Ventilator.Rejected = r.listeners.put
	return nil
}

func (r *localRun) configureWorker() (err error) {
	r.config.Worker, r.engine, err = workerConfig(r.c, r.log, r.registry)
	return err
}

func (r *localRun) openStores() (err error) {
	r.config.Sink, r.closeStores, err = sinkConfig(r.c, r.log, r.registry)
	return err
}

func (r *localRun) compose() (err error) {
	r.farm, err = farm.New(r.config)
	return err
}

// serve binds the live page and lists what runs beside the farm.
func (r *localRun) serve() error {
	sink := r.farm.Sink()
	page, err := pageOf(r.c, sink, reportHandler(sink, r.config.Sink), r.log)
	if err != nil {
		return err
	}
	admin, err := startAdmin(r.c, r.log, r.registry, sink.Ready, page.Handler())
	if err != nil {
		return err
	}
	r.services = services{r.engine.with, adminService(admin), r.listeners.with, pageService(page)}
	return nil
}

// close closes the stores, if they are open.
func (r *localRun) close() error {
	if r.closeStores == nil {
		return nil
	}
	return r.closeStores()
}

// finish prints the summary of a run, unless all is well and nobody wants to hear of that, and turns what ended it into an
// exit code.
func finish(c *cli.Command, run wire.Run, err error, sig os.Signal, show progress.Reporter, unreadable int64, ledgerFlag string) error {
	if run.ID == "" { // it never began
		return err
	}
	dry := run.State == "dry run"
	if !dry {
		show.End(run)
	}
	code := runCode(&run, unreadable)
	if well := err == nil && sig == nil && (dry || code == ExitDone); !well || !c.Bool("quiet") {
		printSummary(os.Stderr, &run, unreadable, ledgerFlag)
	}
	switch {
	case err != nil:
		return err
	case sig != nil && (run.State == "interrupted" || dry):
		return &exitError{code: signalled{sig}.code()}
	case dry:
		return nil
	}
	if code != ExitDone {
		return &exitError{code: code}
	}
	return nil
}
