package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
)

// defaultOut is the output directory when --out names none.
const defaultOut = "out"

// storeFlags name the outputs' directory and the ledger. `farm run` has them, too.
func storeFlags() []cli.Flag {
	return concat([]cli.Flag{
		outFlag(whatToMake, "write the outputs into `DIR`, s3://… or tar:…"),
		text(whatToMake, "ledger", "", "`FILE` of the ledger (default: .imagefarm/ledger.db in --out)"),
	}, objectFlags(), shardFlags())
}

// SinkProgram is the command line of the sink.
func SinkProgram() *cli.Command {
	return &cli.Command{
		Name:  "sink",
		Usage: "collect results, keep the ledger, publish events and serve the live page",
		Description: `Writes the outputs that workers send, and records in a ledger beside them what
became of every image, so that an interrupted run continues where it was. The
first SIGINT or SIGTERM drains: the sink commits the results it has. The second
ends it at once.

   sink --out ~/thumbnails
   sink --bind 0.0.0.0 --tls sink-main.pem    for workers on other machines
   sink --out s3://bucket/thumbnails --ledger ledger.db
   sink --out 'tar:dataset/part-%06d.tar'     shards in WebDataset's form`,
		Flags: concat(storeFlags(), []cli.Flag{
			text(whereToGo, "bind", loopback, "`HOST` or endpoint to listen on, with the usual ports"),
			text(whereToGo, "results", "", "`ENDPOINT` for workers' results (default: port 5558 of --bind)"),
			text(whereToGo, "events", "", "`ENDPOINT` that publishes events (default: port 5556 of --bind)"),
			text(whereToGo, "control", "", "`ENDPOINT` for requests (default: port 5555 of --bind)"),
			allowStrangersFlag(),
			bytes(limits, "max-message", "64MiB", from[int64](1).to(maxMessage), "largest sum of the outputs of an image"),
		}, tlsFlags(), commonFlags("info", "127.0.0.1:8080")),
		Action: runSink,
	}
}

func runSink(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "info")
	if err != nil {
		return err
	}
	if c.Args().Present() {
		return usagef("a sink takes no arguments: remove %q", c.Args().First())
	}
	if err := checkSinkBind(c.String("bind")); err != nil {
		return err
	}
	network, err := networkOf(c, log, pki.Sink)
	if err != nil {
		return err
	}
	network.MaxConns = peerConns(openFileLimit(), socketsOfSink)
	registry := telemetry.NewRegistry()
	network.measure(registry)
	without := endWithout
	if exists(ledgerPathOf(c)) {
		without = collectAtOnce
	}
	if err := probeBucket(ctx, c, placeOf(c.String("out")), without, log); err != nil {
		return err
	}
	cfg, closeStores, err := sinkConfig(ctx, c, log, registry)
	if err != nil {
		return err
	}
	cfg.Results = either(c, "results", "bind", resultsPort)
	cfg.Events = either(c, "events", "bind", eventsPort)
	cfg.Control = either(c, "control", "bind", controlPort)
	if err := cmp.Or(checkEndpoints(c, cfg.Results, cfg.Events, cfg.Control),
		checkBinds(c, cfg.Results, cfg.Events, cfg.Control)); err != nil {
		return errors.Join(err, closeStores(ctx))
	}
	cfg.RefuseStrangers = !allowStrangers(c, cfg.Results, cfg.Events, cfg.Control)
	cfg.Network = network.Network
	s, err := sink.New(cfg)
	if err != nil {
		return errors.Join(err, closeStores(ctx))
	}
	page, err := pageOf(c, s, reportHandler(s, cfg), false, log)
	if err != nil {
		return errors.Join(err, closeStores(ctx))
	}
	admin, err := startAdmin(c, network, log, registry, s.Ready, page.Handler())
	if err != nil {
		return errors.Join(err, closeStores(ctx))
	}
	ctx, _, stop := signals(ctx, log, c.Duration("drain-timeout"), s.Drain)
	defer stop()
	lines := newThroughput(stdout(), c.Bool("quiet"))
	err = services{
		adminService(admin),
		lines.following(s),
		pageService(page),
	}.around(
		ctx,
		func(ctx context.Context) error {
			return farm.RunRole(ctx, "sink", s.Run)
		},
	)
	if taken := endpointTaken(err, cfg); taken != nil {
		return errors.Join(taken, closeStores(ctx))
	}
	lines.summary(s.Status(), strangersAsked(c))
	return closeAfter(err, func() error { return closeStores(ctx) })
}

// endpointTaken returns an error that names the flag of the endpoint at which another program listens; nil: err is
// another error.
func endpointTaken(err error, cfg sink.Config) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil
	}
	for _, at := range []struct{ endpoint, flag string }{
		{cfg.Control, "--control"}, {cfg.Events, "--events"}, {cfg.Results, "--results"},
	} {
		if strings.Contains(err.Error(), "listen on "+at.endpoint+":") {
			return fmt.Errorf("%s is taken, perhaps by another sink: choose another address with --bind, or another port "+
				"with %s", at.endpoint, at.flag)
		}
	}
	return nil
}

// sinkConfig opens the store of outputs and the ledger. The returned function closes them. When its context ends, it
// leaves full shards to the next start.
func sinkConfig(
	ctx context.Context, c *cli.Command, log *slog.Logger, reg prometheus.Registerer,
) (sink.Config, func(context.Context) error, error) {
	if ledgerPathOf(c) == "" {
		return sink.Config{}, nil, usagef("--out is a bucket, and a ledger is a local file: name it with --ledger FILE")
	}
	ledgerPath, err := filepath.Abs(ledgerPathOf(c)) // clients see this path
	if err != nil {
		return sink.Config{}, nil, err
	}
	host, _ := os.Hostname() // for display only
	cfg := sink.Config{
		LedgerPath: ledgerPath, Host: host, Version: telemetry.Version(), MaxMessage: bytesOf(c, "max-message"), Logger: log,
		Registerer: reg,
	}
	cfg.LocalControl, cfg.LocalEvents = localSockets(ledgerPath)
	out := c.String("out")
	if shard.Is(out) {
		return withShards(ctx, c, cfg, out)
	}
	store, err := openStore(c, out, log, reg)
	if err != nil {
		return sink.Config{}, nil, err
	}
	cfg.Writers = bucketWriters
	if dir, is := store.(*blob.Dir); is {
		cfg.Writers = 0 // the sink's default
		sweepTemp(dir, log)
	}
	entries, err := ledger.Open(ledgerPath, ledger.Config{})
	if err != nil {
		return sink.Config{}, nil, errors.Join(err, store.Close())
	}
	cfg.Out, cfg.OutPath, cfg.Ledger = store, store.Path(), entries
	return cfg, func(context.Context) error { return errors.Join(entries.Close(), store.Close()) }, nil
}

// withShards completes the configuration of a sink whose outputs go into shards.
func withShards(
	ctx context.Context, c *cli.Command, cfg sink.Config, out string,
) (sink.Config, func(context.Context) error, error) {
	if _, err := shardsOf(out); err != nil {
		return sink.Config{}, nil, err
	}
	entries, err := ledger.Open(cfg.LedgerPath, ledger.Config{})
	if err != nil {
		return sink.Config{}, nil, err
	}
	set, err := openShards(ctx, c, out, entries, cfg.Logger, cfg.Registerer)
	if err != nil {
		return sink.Config{}, nil, errors.Join(err, entries.Close())
	}
	cfg.Shards, cfg.OutPath, cfg.Ledger = set, set.Path(), entries
	return cfg, func(ctx context.Context) error { return errors.Join(set.Close(ctx), entries.Close()) }, nil
}

// sweepTemp removes temporary files that killed processes left.
func sweepTemp(dir *blob.Dir, log *slog.Logger) {
	if n, err := dir.SweepTemp(); err != nil {
		log.Warn("cannot remove temporary files of an earlier process", "error", err)
	} else if n > 0 {
		log.Info("removed temporary files of an earlier process", "files", n)
	}
}
