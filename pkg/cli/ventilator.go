package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
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
	err = services{adminService(admin), told.with}.around(ctx, func(ctx context.Context) (err error) {
		run, err = farm.RunVentilator(ctx, v)
		return err
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
		MaxMessage: bytesOf(c, "max-message"), Readers: c.Int("readers"),
		Dispatch: dispatch.Config{
			MaxInflightBytes: bytesOf(c, "max-inflight-bytes"), MaxDeliveries: c.Int("max-deliveries"), Lease: c.Duration("lease"),
			SilentLease: c.Duration("silent-lease"), StrangerPrefetch: c.Int("stranger-prefetch"),
		},
		WaitWorkers: c.Duration("wait-workers"), StallTimeout: c.Duration("stall-timeout"), Watch: show.Show, Logger: log, Registerer: reg,
	}, show, nil
}
