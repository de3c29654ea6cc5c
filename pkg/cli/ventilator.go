package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"
	"golang.org/x/sync/errgroup"
)

// findFlags say which images a run takes and how it hands them out; `farm run` has them, too.
func findFlags() []cli.Flag {
	return []cli.Flag{
		texts(whatToTake, "include", "take only files that match this glob; may be given again"),
		texts(whatToTake, "exclude", "leave out files and directories that match this glob; may be given again"),
		yes(whatToTake, "hidden", "take hidden files and directories, too"),
		yes(whatToTake, "force", "make everything again, unchanged or not"),
		yes(whatToTake, "checksum", "tell unchanged images by their content, not by size and modification time"),
		yes(whatToTake, "dry-run", "print what would be made, skipped or rejected; make nothing"),
		text(delivery, "run", "", "name of this run (default: the time)"),
		number(delivery, "max-deliveries", 5, from(1), "failed deliveries after which a task is a dead letter"),
		duration(delivery, "lease", 30*time.Second, from(time.Second), "how long a worker may hold a task without saying so"),
		duration(delivery, "silent-lease", 5*time.Minute, from(time.Second), "the same for workers that send no heartbeats: strangers"),
		number(delivery, "stranger-prefetch", 2, from(1).to(wire.MaxHeld), "unsettled tasks that a worker may hold which does not say how many"),
		duration(delivery, "wait-workers", 0, from[time.Duration](0), "end with status 5 when there is no worker for so long; 0: wait"),
		duration(delivery, "stall-timeout", 0, from[time.Duration](0), "end with status 6 when nothing is settled for so long; 0: wait"),
		text(delivery, "reject-dir", "", "copy rejected originals here, each with a .reason file"),
		text(delivery, "on-reject", "", "URL to which each rejection is posted as JSON"),
		bytes(limits, "max-message", "64MiB", from[int64](1).to(maxMessage), "largest image"),
		bytes(limits, "max-inflight-bytes", "64MiB", from[int64](1), "images read and not yet handed to a worker"),
		number(limits, "readers", 4, from(1).to(1024), "files read at once"),
		text(showing, "progress", "auto", "auto, bar, plain, json or none"),
	}
}

// VentilatorProgram is the command line of the ventilator.
func VentilatorProgram() *cli.Command {
	return &cli.Command{
		Name:      "ventilator",
		Usage:     "find images and hand them to workers, until every one is settled",
		ArgsUsage: "DIR|FILE|- …",
		Description: `Finds images (by their first bytes, below directories), hands them to whichever workers are connected, and waits
until the sink has acknowledged every one. "-" reads a list of files from standard input.

   ventilator ~/Pictures                                thumbnails of 64, 128 and 256 pixels
   ventilator --size 320,1280 ~/Pictures                other sizes
   ventilator --variant 'web=fit:1280x1280,format:webp' ~/Pictures
   find . -newer stamp -name '*.jpg' | ventilator -     what a list says
   ventilator --dry-run ~/Pictures                      what would be done?

` + exitHelp,
		Flags: concat(recipeFlags(), findFlags(), []cli.Flag{
			text(whereToGo, "bind", "tcp://127.0.0.1:"+tasksPort, "endpoint that workers connect to"),
			text(whereToGo, "sink", "127.0.0.1", `host of the sink; "none": nobody acknowledges, hand out and end`),
			text(whereToGo, "control", "", "the sink's control endpoint (default: port 5555 of --sink)"),
			text(whereToGo, "events", "", "the sink's events endpoint (default: port 5556 of --sink)"),
		}, commonFlags("127.0.0.1:8081")),
		Action: runVentilator,
	}
}

func concat(lists ...[]cli.Flag) (all []cli.Flag) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func runVentilator(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, usualLevel(c))
	if err != nil {
		return err
	}
	registry := telemetry.NewRegistry()
	cfg, show, err := ventilatorConfig(c, log, registry)
	if err != nil {
		return err
	}
	cfg.Bind = endpoint(c.String("bind"), tasksPort)
	cfg.Control, cfg.Events = either(c, "control", "sink", controlPort), either(c, "events", "sink", eventsPort)
	if err := checkEndpoints(cfg.Bind, cfg.Control, cfg.Events); err != nil {
		return err
	}
	if c.String("sink") == ventilator.NoSink && c.String("control") == "" {
		cfg.Control = ventilator.NoSink
	}
	if err := refuseOutputInside(ctx, &cfg, log); err != nil {
		return err
	}
	told, err := listenersOf(c, log)
	if err != nil {
		return err
	}
	cfg.Rejected = told.put
	v, err := ventilator.New(cfg)
	if err != nil {
		return err
	}
	admin, err := startAdmin(c, log, registry, v.Ready, nil)
	if err != nil {
		return err
	}
	ctx, first, stop := signals(ctx, log, c.Duration("drain-timeout"), v.Drain)
	defer stop()
	var run wire.Run
	err = withAdmin(ctx, admin, func(ctx context.Context) error {
		return told.with(ctx, func(ctx context.Context) error {
			var err error
			run, err = v.Run(ctx)
			return err
		})
	})
	return finish(c, run, err, first(), show, v.Unreadable(), "--sink "+c.String("sink"))
}

// ventilatorConfig is what the flags of findFlags and recipeFlags ask for.
func ventilatorConfig(c *cli.Command, log *slog.Logger, reg prometheus.Registerer) (ventilator.Config, progress.Reporter, error) {
	what, err := recipeOf(c)
	if err != nil {
		return ventilator.Config{}, nil, err
	}
	mode := c.String("progress")
	if c.Bool("quiet") && mode == "auto" {
		mode = "none"
	}
	show, err := progress.New(mode, os.Stderr)
	if err != nil {
		return ventilator.Config{}, nil, usagef("--%v", err)
	}
	if c.Args().Len() == 0 {
		return ventilator.Config{}, nil, usagef("name a directory of images, a file, or - for a list on standard input")
	}
	if dir := c.String("reject-dir"); dir != "" {
		if err := refuseInside("rejected originals", "reject-dir", dir, c.Args().Slice()); err != nil {
			return ventilator.Config{}, nil, err
		}
	}
	host, _ := os.Hostname() // shown only
	return ventilator.Config{
		Inputs: c.Args().Slice(), Stdin: os.Stdin, Include: c.StringSlice("include"), Exclude: c.StringSlice("exclude"),
		Hidden: c.Bool("hidden"), Recipe: what, Run: c.String("run"), Host: host, Force: c.Bool("force"),
		Checksum: c.Bool("checksum"), DryRun: c.Bool("dry-run"), Report: func(line string) { fmt.Println(line) },
		MaxMessage: bytesOf(c, "max-message"), MaxInflightBytes: bytesOf(c, "max-inflight-bytes"), Readers: c.Int("readers"),
		MaxDeliveries: c.Int("max-deliveries"), Lease: c.Duration("lease"), SilentLease: c.Duration("silent-lease"),
		StrangerPrefetch: c.Int("stranger-prefetch"), WaitWorkers: c.Duration("wait-workers"),
		StallTimeout: c.Duration("stall-timeout"), Watch: show.Show, Logger: log, Registerer: reg,
	}, show, nil
}

// refuseOutputInside refuses a run whose sink, on this machine, writes into a directory that the run reads: the next run
// would make thumbnails of thumbnails. A sink that does not answer now is asked later, for other things.
func refuseOutputInside(ctx context.Context, cfg *ventilator.Config, log *slog.Logger) error {
	if cfg.Control == ventilator.NoSink {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	client, err := sinkclient.Dial(cfg.Control, nil, log)
	if err != nil {
		return usagef("--sink: %v", err)
	}
	defer client.Close()
	status, err := client.Status(ctx)
	if err != nil || status.Host != cfg.Host || !filepath.IsAbs(status.Out) {
		return nil
	}
	return refuseInside("outputs", "out", status.Out, cfg.Inputs)
}

// refuseInside refuses a directory, the flag's, for what is written there if a run reads it: the next run would find it.
func refuseInside(what, flag, dir string, inputs []string) error {
	for _, in := range inputs {
		info, err := os.Stat(in)
		if err != nil || !info.IsDir() {
			continue
		}
		inside, err := ventilator.Inside(dir, in)
		if err != nil {
			return usagef("%v", err)
		}
		if inside {
			return usagef("%s would go to %q, inside the input %q: choose another --%s", what, dir, in, flag)
		}
	}
	return nil
}

// finish prints the summary of a run, unless all is well and nobody wants to hear of that, and turns what ended it into an
// exit code.
func finish(c *cli.Command, run wire.Run, err error, sig os.Signal, show progress.Reporter, unreadable int64, books string) error {
	if run.ID == "" { // it never began
		return err
	}
	dry := run.State == "dry run"
	if !dry {
		show.End(run)
	}
	code := runCode(&run, unreadable)
	if well := err == nil && sig == nil && (dry || code == ExitDone); !well || !c.Bool("quiet") {
		printSummary(os.Stderr, &run, unreadable, books)
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

// withAdmin runs do beside the admin server, which ends with it.
func withAdmin(ctx context.Context, admin *telemetry.Admin, do func(context.Context) error) error {
	if admin == nil {
		return do(ctx)
	}
	return beside(ctx, admin.Run, do)
}

// beside runs do while service runs, which ends after it. When either fails, the other's context ends, too.
func beside(ctx context.Context, service, do func(context.Context) error) error {
	group, gctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(gctx)
	defer stop()
	group.Go(func() error { return service(serving) })
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

// usualLevel keeps information out of a bar's way.
func usualLevel(c *cli.Command) string {
	if progress.Drawn(c.String("progress"), os.Stderr) {
		return "warn"
	}
	return "info"
}
