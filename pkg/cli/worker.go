package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/worker"
)

// transformFlags say how images are transformed; `farm run` has them, too.
func transformFlags() []cli.Flag {
	return concat([]cli.Flag{
		number(limits, "slots", 0, from(0).to(maxSlots), "concurrent transforms (default: the number of processors)"),
		number(limits, "prefetch", 0, from(0).to(wire.MaxHeld), "unsettled tasks that a worker may hold (default: 3 for each slot, and 4)"),
	}, engineFlags())
}

// WorkerProgram is the command line of the worker.
func WorkerProgram() *cli.Command {
	return &cli.Command{
		Name:  "worker",
		Usage: "take images from ventilators, transform them, tell the sink",
		Description: `Any number of workers may come and go at any time. Without --out the outputs' bytes go to the sink, which writes
them; with it the worker writes them itself. The first SIGINT or SIGTERM finishes what is held, the second leaves at once.

   worker                                        on the machine of ventilator and sink
   worker --ventilator 10.0.0.5 --sink 10.0.0.5  elsewhere
   worker --out /mnt/thumbnails                  outputs to a shared directory`,
		Flags: concat([]cli.Flag{
			texts(whereToGo, "ventilator", "host of a ventilator (default: 127.0.0.1); may be given again"),
			text(whereToGo, "sink", "127.0.0.1", "host of the sink"),
			text(whereToGo, "results", "", "the sink's results endpoint (default: port 5558 of --sink)"),
			text(whereToGo, "name", "", "name of this worker (default: host and process id)"),
			text(whatToMake, "out", "", "directory to write outputs to (default: send them to the sink)"),
			yes(whatToMake, "bare", "tell bare output names only, for a sink that knows nothing else; needs --out"),
			bytes(limits, "max-message", "64MiB", from[int64](1).to(maxMessage), "largest image, and largest sum of an image's outputs"),
		}, recipeFlags(), transformFlags(), commonFlags("127.0.0.1:8082")),
		Action: runWorker,
	}
}

func runWorker(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "info")
	if err != nil {
		return err
	}
	if c.Args().Present() {
		return usagef("a worker takes no arguments, not %q", c.Args().First())
	}
	registry := telemetry.NewRegistry()
	cfg, engine, err := workerConfig(c, log, registry)
	if err != nil {
		return err
	}
	hosts := c.StringSlice("ventilator")
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	for _, h := range hosts {
		cfg.Ventilators = append(cfg.Ventilators, endpoint(h, tasksPort))
	}
	cfg.Results = either(c, "results", "sink", resultsPort)
	if err := checkEndpoints(append(cfg.Ventilators, cfg.Results)...); err != nil {
		return err
	}
	cfg.Bare = c.Bool("bare")
	if out := c.String("out"); out != "" {
		dir, err := blob.OpenDir(out, blob.Config{})
		if err != nil {
			return err
		}
		defer dir.Close()
		cfg.Out = dir
	}
	w, err := worker.New(cfg)
	if err != nil {
		return &exitError{ExitUsage, err}
	}
	if engine.isolated() && cfg.Out == nil {
		shareProcessors(cfg.Slots)
	}
	admin, err := startAdmin(c, log, registry, w.Ready, nil)
	if err != nil {
		return err
	}
	ctx, _, stop := signals(ctx, log, c.Duration("drain-timeout"), w.Drain)
	defer stop()
	return services{engine.with, adminService(admin)}.around(ctx, func(ctx context.Context) error {
		return farm.RunRole(ctx, "worker", w.Run)
	})
}

// slotsPerProcessor is to how many slots a worker that only moves bytes has a processor of its own.
const slotsPerProcessor = 4

// shareProcessors leaves the processors to the children that transform: to move the tasks and results of one slot takes a
// twentieth of a processor. With as many as there are, the runtime wakes a thread for each message to look for more work. It is not for
// a worker that writes files: one that waits for a disk would keep the others from theirs.
func shareProcessors(slots int) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	all := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(min(all, max(1, cmp.Or(slots, all)/slotsPerProcessor)))
}

// workerConfig is what the flags of transformFlags and recipeFlags ask for.
func workerConfig(c *cli.Command, log *slog.Logger, reg prometheus.Registerer) (worker.Config, *runningEngine, error) {
	what, err := recipeOf(c)
	if err != nil {
		return worker.Config{}, nil, err
	}
	e, err := engineOf(c, log)
	if err != nil {
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
		Name: name, Engine: e.Engine, Memory: e.memory, Default: what, Slots: c.Int("slots"), Ahead: ahead, Prefetch: c.Int("prefetch"),
		MaxMessage: bytesOf(c, "max-message"), Logger: log, Registerer: reg,
	}, e, nil
}
