package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// argumentsHelp explains the arguments of a command that does a run.
const argumentsHelp = `DIR takes the images below a directory, FILE takes one image, s3://BUCKET/PREFIX
takes those of a bucket, https://… one from a web server, LIST.txt, .csv, .jsonl
or .parquet those at the URLs in it, .tar or .zip those in it, and - reads the
names of files from standard input, one a line.`

// runCommand is `farm run`. Its help omits flags that matter between machines only, or in few runs.
func runCommand() *cli.Command {
	return hideSeldomUsed(&cli.Command{
		Name:      "run",
		Usage:     "find images, transform them and keep the ledger, in one process",
		ArgsUsage: "DIR|FILE|URL|- …",
		Description: `Runs a ventilator, a worker and a sink in one process, with the same code and
the same messages as between machines.

` + argumentsHelp + `

   farm run ~/Pictures --out ~/thumbnails
   farm run --variant 'web=fit:1280x1280,format:webp' ~/Pictures
   farm run s3://bucket/photos --out s3://bucket/thumbnails --ledger ledger.db
   find . -newer stamp -name '*.jpg' | farm run -

` + exitHelp,
		Flags: concat(
			storeFlags(),
			recipeFlags(),
			findFlags(),
			transformFlags(),
			tlsFlags(),
			commonFlags("warn", "127.0.0.1:8080"),
		),
		Action: runFarm,
	}, "out", "size", "variant", "preset", "assets", "include", "exclude", "hidden", "force", "checksum",
		"watch", "dry-run", "fail-on",
		"reject-dir", "max-message", "max-pixels", "on-truncated", "slots", "task-timeout", "task-memory",
		"progress", "log-level", "quiet", "http")
}

// runFarm runs the three roles in this process until the run has ended.
func runFarm(ctx context.Context, c *cli.Command) error {
	screen := progress.NewScreen(os.Stderr)
	log, err := loggerOf(c, screen, "warn")
	if err != nil {
		return err
	}
	network, err := networkOf(c, log, pki.Sink)
	if err != nil {
		return err
	}
	network.MaxConns = peerConns(openFileLimit(), socketsOfSink+socketsOfVentilator)
	r := &localRun{network: network, c: c, screen: screen, log: log, registry: telemetry.NewRegistry()}
	err = inTurn(r.configureVentilator, r.refuseWhatCannotWork, func() error { return r.probeBuckets(ctx) },
		r.openListeners, r.configureWorker)
	if err != nil {
		return err
	}
	// Child processes take about as long to start as the ledger takes to open, so both happen at once.
	return r.engine.with(ctx, r.run)
}

// inTurn calls functions until one fails.
func inTurn(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// run opens the stores and does the run.
func (r *localRun) run(ctx context.Context) error {
	if err := inTurn(func() error { return r.openStores(ctx) }, r.compose, r.serve); err != nil {
		return errors.Join(err, r.close(ctx))
	}
	dry := r.c.Bool("dry-run")
	if dry { // so that what it has made is removed when head has seen enough lines: printing fails with EPIPE
		signal.Ignore(syscall.SIGPIPE)
	}
	ctx, first, stop := signals(ctx, r.log, r.c.Duration("drain-timeout"), r.farm.Drain)
	defer stop()
	var run wire.Run
	err := r.services.around(ctx, func(ctx context.Context) (err error) {
		run, err = r.farm.Run(ctx)
		return err
	})
	err = closeAfter(err, func() error { return r.close(ctx) })
	if dry && errors.Is(err, syscall.EPIPE) {
		return &exitError{code: exitPipe}
	}
	s := summary{run: &run, leftOut: r.farm.LeftOut(), ledgerFlags: ledgerFlagsOf(r.c)}
	if !r.c.IsSet("out") {
		s.out = r.config.Sink.OutPath
	}
	return finish(r.c, s, err, first(), r.show)
}

// localRun holds what `farm run` opens, step by step, before the run begins.
type localRun struct {
	c        *cli.Command
	screen   *progress.Screen
	log      *slog.Logger
	registry *prometheus.Registry
	network  network // for HTTPS: the roles meet within the process

	config      farm.Config
	show        progress.Reporter
	engine      *runningEngine
	listeners   *listeners
	closeStores func(context.Context) error // nil until the stores are open
	ahead       madeAhead
	farm        *farm.Farm
	services    services
}

func (r *localRun) configureVentilator() (err error) {
	r.config.Ventilator, r.show, err = ventilatorConfig(r.c, r.screen, r.log, r.registry)
	return err
}

// refuseWhatCannotWork checks flags that depend on each other, before the run opens anything.
func (r *localRun) refuseWhatCannotWork() error {
	if err := refuseInput("outputs", "out", r.c.String("out"), r.config.Ventilator.Inputs); err != nil {
		return err
	}
	return refuseMissingAssets(r.c.String("assets"), r.config.Ventilator.Recipe)
}

func (r *localRun) probeBuckets(ctx context.Context) error {
	places := append(probedInputs(&r.config.Ventilator), placeOf(r.c.String("out")))
	return probeBuckets(ctx, r.c, places, endWithout, r.log)
}

func (r *localRun) openListeners() (err error) {
	if r.listeners, err = listenersOf(r.c, r.log); err != nil {
		return err
	}
	r.config.Ventilator.Rejected = r.listeners.put
	return nil
}

func (r *localRun) configureWorker() (err error) {
	if r.config.Worker, r.engine, err = workerConfig(r.c, r.config.Ventilator.Recipe, r.log, r.registry); err != nil {
		return err
	}
	return refuseFewFiles(openFileLimit(), filesOfRun, r.config.Worker.Slots, runtime.GOMAXPROCS(0), r.engine.isolated())
}

func (r *localRun) openStores(ctx context.Context) (err error) {
	r.ahead = noteMissing(r.c.String("out"), ledgerPathOf(r.c))
	r.config.Sink, r.closeStores, err = sinkConfig(ctx, r.c, r.log, r.registry)
	if err != nil {
		r.ahead.removeDirs()
	}
	if errors.Is(err, ledger.ErrInUse) {
		return fmt.Errorf("%w: wait until that ends, or choose another --out; for several runs at once, start a sink and a "+
			"ventilator for each run", err)
	}
	return err
}

func (r *localRun) compose() (err error) {
	r.farm, err = farm.New(r.config)
	return err
}

// serve binds the live page and lists what runs beside the farm.
func (r *localRun) serve() error {
	sink := r.farm.Sink()
	page, err := pageOf(r.c, sink, reportHandler(sink, r.config.Sink), true, r.log)
	if err != nil {
		return err
	}
	admin, err := startAdmin(r.c, r.network, r.log, r.registry, sink.Ready, page.Handler())
	if err != nil {
		return err
	}
	if dir := r.config.Sink.OutPath; !r.c.IsSet("out") && !r.c.Bool("dry-run") {
		notice(r.c, "outputs go to %s; --out chooses another directory", dir)
	}
	r.services = services{adminService(admin), r.listeners.with, pageService(page)}
	return nil
}

// close closes the stores, if they are open. When ctx ends, it leaves full shards to the next start.
func (r *localRun) close(ctx context.Context) error {
	if r.closeStores == nil {
		return nil
	}
	return r.ahead.remove(r.config.Sink.Ledger, func() error { return r.closeStores(ctx) })
}

// ledgerFlagsOf returns the flags by which the operator's commands find the ledger of a run in this process.
func ledgerFlagsOf(c *cli.Command) string {
	if file := c.String("ledger"); file != "" {
		return "--ledger " + shellWord(file)
	}
	return "--out " + shellWord(c.String("out"))
}

// finish prints the summary of a run, unless --quiet, and turns what ended the run into an exit code.
func finish(c *cli.Command, s summary, err error, sig os.Signal, show progress.Reporter) error {
	run := s.run
	if run.ID == "" { // the run never began
		return err
	}
	dry := run.State == outcome.DryRun
	if !dry {
		show.End(*run)
	}
	if !c.Bool("quiet") {
		s.print(stderr())
	}
	code := runCode(run, s.leftOut.Counts[source.Unreadable], failOn(c.String("fail-on"))) // checked before the run
	switch {
	case err != nil:
		return err
	case sig != nil && (run.State == outcome.Interrupted || dry):
		return &exitError{code: signalled{sig}.code()}
	case dry || code == ExitDone:
		return nil
	case code == ExitUnbalanced && c.Bool("quiet"):
		return &exitError{
			code,
			fmt.Errorf("the run %s does not balance: %d images are unaccounted for", run.ID, run.Unaccounted()),
		}
	}
	return &exitError{code: code}
}
