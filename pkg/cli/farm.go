package cli

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/runasowner"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/urfave/cli/v3"
)

// Program returns the program that a command is called by, so that one file can have four names, as in a small container
// image: the farm when it is no other's name.
func Program(name string) *cli.Command {
	switch strings.TrimSuffix(filepath.Base(name), ".exe") {
	case "ventilator":
		return VentilatorProgram()
	case "worker":
		return WorkerProgram()
	case "sink":
		return SinkProgram()
	}
	return FarmProgram()
}

// FarmProgram is the command line of the farm: all roles in one process, and the operator's tool.
func FarmProgram() *cli.Command {
	return &cli.Command{
		Name:  "farm",
		Usage: "process images with everything in one process, and look after a farm of many",
		Description: `   farm run ~/Pictures --out ~/thumbnails     nothing else is needed
   farm status                                  what does the farm on this machine do?

` + exitHelp,
		Commands: []*cli.Command{
			runCommand(), benchCommand(), statusCommand(), workersCommand(), eventsCommand(),
			steerCommand("pause", "paused", "hand out nothing more until resume"),
			steerCommand("resume", "running", "go on after pause"),
			steerCommand("cancel", "cancelled", "end the run when what workers hold is settled"),
			runsCommand(), rejectsCommand(), retryCommand(), verifyCommand(), reportCommand(), healthCommand(), manCommand(), asOwnerCommand(),
		},
		Action: func(_ context.Context, c *cli.Command) error {
			name := c.Args().First()
			if name == "" {
				return cli.ShowRootCommandHelp(c)
			}
			return noCommand(c, name)
		},
	}
}

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

func runFarm(ctx context.Context, c *cli.Command) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	if err := checkPageFlags(c); err != nil {
		return err
	}
	registry := telemetry.NewRegistry()
	var cfg farm.Config
	v, show, err := ventilatorConfig(c, log, registry)
	if err != nil {
		return err
	}
	if err := refuseInside("outputs", "out", c.String("out"), v.Inputs); err != nil {
		return err
	}
	if err := refuseMissingAssets(c.String("assets"), v.Recipe); err != nil {
		return err
	}
	told, err := listenersOf(c, log)
	if err != nil {
		return err
	}
	v.Rejected = told.put
	cfg.Ventilator = v
	w, engine, err := workerConfig(c, log, registry)
	if err != nil {
		return err
	}
	cfg.Worker = w
	s, closeStores, err := sinkConfig(c, log, registry)
	if err != nil {
		return err
	}
	cfg.Sink = s
	f, err := farm.New(cfg)
	if err != nil {
		return errors.Join(err, closeStores())
	}
	page, err := pageOf(c, f.Sink(), reportHandler(f.Sink(), s), log)
	if err != nil {
		return errors.Join(err, closeStores())
	}
	admin, err := startAdmin(c, log, registry, f.Sink().Ready, page.Handler())
	if err != nil {
		return errors.Join(err, closeStores())
	}
	ctx, first, stop := signals(ctx, log, c.Duration("drain-timeout"), f.Drain)
	defer stop()
	var run wire.Run
	err = engine.with(ctx, func(ctx context.Context) error {
		return withAdmin(ctx, admin, func(ctx context.Context) error {
			return told.with(ctx, func(ctx context.Context) error {
				return withPage(ctx, page, func(ctx context.Context) error {
					var err error
					run, err = f.Run(ctx)
					return err
				})
			})
		})
	})
	err = errors.Join(err, closeStores())
	return finish(c, run, err, first(), show, f.Unreadable(), "--out "+c.String("out"))
}

// sinkFlags say which sink an operator's command talks to.
func sinkFlags() []cli.Flag {
	return concat([]cli.Flag{
		text(whereToGo, "sink", "127.0.0.1", "host of the sink"),
		text(whereToGo, "control", "", "the sink's control endpoint (default: port 5555 of --sink)"),
		duration(whereToGo, "timeout", 5*time.Second, from(time.Millisecond), "how long to wait for an answer"),
	}, commonFlags(""))
}

// askSink calls the sink that the flags name, within --timeout.
func askSink(ctx context.Context, c *cli.Command, ask func(context.Context, *sinkclient.Client) error) error {
	return dialSink(c, func(client *sinkclient.Client) error {
		ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
		defer cancel()
		return ask(ctx, client)
	})
}

func dialSink(c *cli.Command, use func(*sinkclient.Client) error) error {
	log, err := loggerOf(c, os.Stderr, "warn")
	if err != nil {
		return err
	}
	client, err := sinkclient.Dial(either(c, "control", "sink", controlPort), nil, log)
	if err != nil {
		return usagef("--sink: %v", err)
	}
	return errors.Join(use(client), client.Close())
}

func healthCommand() *cli.Command {
	return &cli.Command{
		Name: "health", ArgsUsage: "[URL]",
		Usage: "exit 0 when the URL answers well (default: http://127.0.0.1:8080/readyz), 1 otherwise",
		Flags: []cli.Flag{duration(whereToGo, "timeout", 5*time.Second, from(time.Millisecond), "how long to wait for an answer")},
		Action: func(ctx context.Context, c *cli.Command) error {
			url := c.Args().First()
			if url == "" {
				url = "http://127.0.0.1:8080/readyz"
			}
			ctx, cancel := context.WithTimeout(ctx, c.Duration("timeout"))
			defer cancel()
			return telemetry.Health(ctx, url)
		},
	}
}

func asOwnerCommand() *cli.Command {
	return &cli.Command{
		Name: "as-owner", ArgsUsage: "DIR -- PROGRAM [ARGUMENT…]", Hidden: true,
		Usage: "become the owner of DIR, then run the program: for containers that write into a bind mount",
		Flags: []cli.Flag{text("", "like", "", "give DIR the owner of this file first, when it is root's and empty")},
		Action: func(_ context.Context, c *cli.Command) error {
			args := c.Args().Slice()
			if len(args) > 1 && args[1] == "--" {
				args = append(args[:1:1], args[2:]...)
			}
			if len(args) < 2 {
				return usagef("as-owner needs a directory and a program")
			}
			return runasowner.Exec(runasowner.Config{Dir: args[0], Like: c.String("like")}, args[1:])
		},
	}
}
