package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

func benchCommand() *cli.Command {
	return hideSeldomUsed(&cli.Command{
		Name:      "bench",
		Usage:     "measure throughput with 1, 2, 4 … worker slots; name the bottleneck",
		ArgsUsage: "DIR|FILE …",
		Description: `Does the whole run once for each number of slots, in one process, and removes
the outputs and the ledger afterwards. With several numbers, a first run that
does not count reads all files into the page cache.

   farm bench ~/Pictures
   farm bench --workers 1,2,4,8 --size 1280 ~/Pictures`,
		Flags: concat([]cli.Flag{
			text(whatToMake, "workers", "", "`NUMBERS` of slots, e.g. 1,2,4 (default: 1, 2, 4 … processors)"),
			text(whatToMake, "where", os.TempDir(), "`DIR` for outputs and ledger during the measurement"),
			&cli.StringFlag{Name: "out", Hidden: true},
		}, recipeFlags(), findFlags(), benchEngineFlags(), commonFlags("warn", "")),
		Action: runBench,
	}, "workers", "where", "size", "variant", "preset", "engine", "assets", "include", "exclude", "hidden",
		"max-message", "max-pixels", "on-truncated", "isolate", "task-timeout", "task-memory", "log-level", "quiet")
}

// benchEngineFlags are transformFlags without --slots, which the benchmark varies.
func benchEngineFlags() (flags []cli.Flag) {
	for _, f := range transformFlags() {
		if n, ok := f.(*cli.IntFlag); ok && n.Name == "slots" {
			n.Hidden = true
			n.Sources = cli.ValueSourceChain{}
		}
		flags = append(flags, f)
	}
	return flags
}

func runBench(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	counts, err := slotCounts(c.String("workers"), runtime.NumCPU())
	if err != nil {
		return err
	}
	switch {
	case c.Bool("dry-run"):
		return usagef("--dry-run makes nothing that could be measured")
	case c.Bool("watch"):
		return usagef("--watch has no end at which a measurement could stop")
	}
	if err := c.Set("progress", "none"); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx, first, stop := signals(ctx, slog.New(slog.DiscardHandler), 0, cancel) // there is nothing to drain
	defer stop()
	err = benchAll(ctx, c, log, counts)
	if sig := first(); sig != nil {
		return &exitError{code: signalled{sig}.code()}
	}
	return err
}

func benchAll(ctx context.Context, c *cli.Command, log *slog.Logger, counts []int) error {
	var points []farm.Point
	for i, n := range counts {
		if i == 0 && len(counts) > 1 { // otherwise only the first number would wait for the disk
			if _, err := benchOnce(ctx, c, log, counts[len(counts)-1]); err != nil {
				return err
			}
		}
		p, err := benchOnce(ctx, c, log, n)
		if err != nil {
			return err
		}
		if p.Images == 0 {
			return usagef("no image was done: there is nothing to measure")
		}
		points = append(points, p)
		printPoint(stdout(), p, points[0], i == 0)
	}
	return nil
}

// slotCounts parses the list of --workers.
func slotCounts(list string, processors int) (counts []int, err error) {
	if list == "" {
		for n := 1; n < processors; n *= 2 {
			counts = append(counts, n)
		}
		return append(counts, processors), nil
	}
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 1 || n > 1024 {
			return nil, usagef("--workers %q: numbers from 1 to 1024 with commas between them", list)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

// benchOnce measures a run with n slots.
func benchOnce(ctx context.Context, c *cli.Command, log *slog.Logger, n int) (p farm.Point, err error) {
	out, err := os.MkdirTemp(c.String("where"), "imagefarm-bench-")
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(out)) }()
	if err := c.Set("slots", strconv.Itoa(n)); err != nil {
		return p, err
	}
	registry := telemetry.NewRegistry()
	var cfg farm.Config
	if cfg.Ventilator, _, err = ventilatorConfig(c, progress.NewScreen(os.Stderr), log, registry); err != nil {
		return p, err
	}
	if err := refuseInput("outputs", "out", out, cfg.Ventilator.Inputs); err != nil {
		return p, err
	}
	w, engine, err := workerConfig(c, cfg.Ventilator.Recipe, log, registry)
	if err != nil {
		return p, err
	}
	cfg.Worker = w
	if err := c.Set("out", out); err != nil {
		return p, err
	}
	s, closeStores, err := sinkConfig(ctx, c, log, registry)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, closeStores(ctx)) }()
	cfg.Sink = s
	f, err := farm.New(cfg)
	if err != nil {
		return p, err
	}
	err = engine.with(ctx, func(ctx context.Context) error {
		p, err = f.Measure(ctx, n)
		return err
	})
	return p, err
}

// printPoint prints a line of the table, and the head of the table before the first line.
func printPoint(w io.Writer, p, base farm.Point, first bool) {
	if first {
		fmt.Fprintf(
			w,
			"%s images, %s; milliseconds are a slot's for one image\n\n",
			numfmt.Count(p.Images),
			numfmt.Bytes(p.Bytes),
		)
		fmt.Fprintf(w, "%5s %9s %8s %10s %9s %10s %9s  %s\n",
			"slots", "images/s", "MB/s", "efficiency", "decode ms", "transform", "encode", "what bounds it")
	}
	each := func(us int64) float64 { return float64(us) / 1000 / float64(max(p.Images, 1)) }
	fmt.Fprintf(w, "%5d %9.1f %8.1f %8.0f %% %9.1f %10.1f %9.1f  %s\n", p.Slots, p.ImagesPerSecond(),
		float64(p.Bytes)/1e6/p.Elapsed.Seconds(), 100*p.Efficiency(base),
		each(p.Stages.Decode), each(p.Stages.Transform), each(p.Stages.Encode), p.Verdict)
}
