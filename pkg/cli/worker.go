package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/worker"
)

// transformFlags configure transforms. `farm run` has them, too.
func transformFlags() []cli.Flag {
	return concat([]cli.Flag{
		number(limits, "slots", 0, from(0).to(maxSlots), "concurrent transforms (default: the number of processors)"),
		number(
			limits,
			"prefetch",
			0,
			from(0).to(wire.MaxHeld),
			"unsettled tasks that a worker may hold (default: 4 + 3 per slot)",
		),
	}, engineFlags())
}

// WorkerProgram is the command line of the worker.
func WorkerProgram() *cli.Command {
	return &cli.Command{
		Name:  "worker",
		Usage: "take images from ventilators, transform them, send results to the sink",
		Description: `Any number of workers may come and go at any time. Without --out a worker sends
the outputs to the sink, which writes them; with --out it writes them itself.
The first SIGINT or SIGTERM drains: the worker finishes the tasks it holds. The
second ends it at once.

   worker                                        beside ventilator and sink
   worker --ventilator 10.0.0.5 --sink 10.0.0.5  elsewhere
   worker --out /mnt/thumbnails                  outputs to a shared directory`,
		Flags: concat([]cli.Flag{
			texts(whereToGo, "ventilator", "`HOST` of a ventilator (default: 127.0.0.1); repeatable"),
			text(whereToGo, "sink", loopback, "`HOST` of the sink"),
			text(whereToGo, "results", "", "results `ENDPOINT` of the sink (default: port 5558 of --sink)"),
			text(whereToGo, "name", "", "`NAME` of this worker (default: host and process id)"),
			text(whatToMake, "out", "", "write outputs into `DIR` or s3://… (default: send them to the sink)"),
			yes(whatToMake, "bare", "send bare output names, for a sink that knows nothing else; needs --out"),
			texts(whatToTake, "inputs-root", "`PLACE` to fetch images of ventilator --by-reference from: a directory, "+
				"s3://…, https://… or the beginning of URLs; repeatable"),
			bytes(
				limits,
				"max-message",
				"64MiB",
				from[int64](1).to(maxMessage),
				"largest image file, and largest sum of its outputs",
			),
		}, webFlags(), objectFlags(), recipeFlags(), transformFlags(), tlsFlags(), commonFlags("info", "127.0.0.1:8082")),
		Action: runWorker,
	}
}

func runWorker(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "info")
	if err != nil {
		return err
	}
	if c.Args().Present() {
		return usagef("a worker takes no arguments: remove %q", c.Args().First())
	}
	network, err := networkOf(c, log, pki.Worker)
	if err != nil {
		return err
	}
	registry := telemetry.NewRegistry()
	network.measure(registry)
	what, err := recipeOf(c)
	if err != nil {
		return err
	}
	cfg, engine, err := workerConfig(c, what, log, registry)
	if err != nil {
		return err
	}
	cfg.Network = network.Network
	if err := network.nameWorker(c, &cfg.Name); err != nil {
		return err
	}
	err = refuseFewFiles(openFileLimit(), filesOfWorker, cfg.Slots, runtime.GOMAXPROCS(0), engine.isolated())
	if err != nil {
		return err
	}
	hosts := c.StringSlice("ventilator")
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	for _, h := range hosts {
		cfg.Ventilators = append(cfg.Ventilators, endpoint(usualScheme(c), h, tasksPort))
	}
	places := c.StringSlice("inputs-root")
	if err := probeBuckets(ctx, c, append(slices.Clone(places), c.String("out")), waitForStore, log); err != nil {
		return err
	}
	if len(places) > 0 {
		inputs, err := source.OpenInputs(places, source.Config{Bucket: bucketConfig(log, registry), Web: webConfig(c)})
		if errors.Is(err, fs.ErrNotExist) { // it may be mounted later
			return fmt.Errorf("--inputs-root: %w", err)
		}
		if err != nil {
			return usagef("--inputs-root: %v", err)
		}
		cfg.Inputs = inputs
	}
	cfg.Results = either(c, "results", "sink", resultsPort)
	if err := checkEndpoints(c, append(cfg.Ventilators, cfg.Results)...); err != nil {
		return err
	}
	cfg.Bare = c.Bool("bare")
	if out := c.String("out"); shard.Is(out) {
		return usagef("--out %s: only the sink writes shards; start the sink with it, and workers without --out", out)
	} else if out != "" {
		store, err := openStore(c, out, log, registry)
		if err != nil {
			return err
		}
		defer store.Close()
		cfg.Out = store
	}
	w, err := worker.New(cfg)
	if err != nil {
		return &exitError{ExitUsage, err}
	}
	if engine.isolated() && cfg.Out == nil {
		shareProcessors(cfg.Slots)
	}
	admin, err := startAdmin(c, network, log, registry, w.Ready, nil)
	if err != nil {
		return err
	}
	ctx, _, stop := signals(ctx, log, c.Duration("drain-timeout"), w.Drain)
	defer stop()
	return services{engine.with, adminService(admin)}.around(ctx, func(ctx context.Context) error {
		return farm.RunRole(ctx, "worker", w.Run)
	})
}

// slotsPerProcessor is the number of slots for which a worker that only moves bytes uses one processor.
const slotsPerProcessor = 4

// shareProcessors limits this process to a few processors and leaves the others to the transforming children. Moving
// the tasks and results of a slot takes a twentieth of a processor; with all processors, the runtime wakes a thread for
// each message. A worker that writes files must not call it: a write that blocks would delay the other slots.
func shareProcessors(slots int) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	all := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(min(all, max(1, cmp.Or(slots, all)/slotsPerProcessor)))
}

// workerConfig returns the configuration of transformFlags. what is the recipe of tasks that have none: recipeOf, which
// reads a preset from a pipe only once.
func workerConfig(
	c *cli.Command,
	what recipe.Recipe,
	log *slog.Logger,
	reg prometheus.Registerer,
) (worker.Config, *runningEngine, error) {
	e, err := engineOf(c, log)
	if err != nil {
		return worker.Config{}, nil, err
	}
	if err := reg.Register(newCodecMetrics(e.isolated())); err != nil {
		return worker.Config{}, nil, err
	}
	name := c.String("name")
	if name == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "worker"
		}
		name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	ahead := 0
	if e.isolated() {
		ahead = isolate.Turns - 1
	}
	return worker.Config{
		Name: name, Engine: e.Engine, Memory: e.memory, Default: what,
		Slots: c.Int("slots"), Ahead: ahead, Prefetch: c.Int("prefetch"),
		MaxMessage: bytesOf(c, "max-message"), Logger: log, Registerer: reg,
	}, e, nil
}
