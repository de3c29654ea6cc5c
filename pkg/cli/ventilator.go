package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/bucket"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/progress"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// selectFlags say which files of the inputs are images of a run.
func selectFlags() []cli.Flag {
	return []cli.Flag{
		texts(whatToTake, "include", "take only files that match this `GLOB`; repeatable"),
		texts(whatToTake, "exclude", "leave out files and directories that match this `GLOB`; repeatable"),
		yes(whatToTake, "hidden", "take hidden files and directories, too"),
		yes(whatToTake, "follow-links", "take files outside the input to which links in it lead"),
		text(whatToTake, "url-column", "url", "`NAME` of the column of a list (.csv, .jsonl, .parquet) of URLs"),
	}
}

// webFlags say which answers of web servers are taken.
func webFlags() []cli.Flag {
	return []cli.Flag{
		duration(limits, "url-timeout", time.Minute, from(time.Second), "longest request to a web server"),
		yes(whatToTake, "allow-private", "fetch URLs from private networks and this machine, too"),
		yes(whatToTake, "ignore-opt-out", "take images whose server sends X-Robots-Tag: noai or noindex"),
	}
}

// findFlags select the images of a run and configure their delivery. `farm run` has them, too.
func findFlags() []cli.Flag {
	return concat(selectFlags(), webFlags(), []cli.Flag{
		yes(whatToTake, "force", "make every output again, also of unchanged images"),
		yes(whatToTake, "checksum", "recognize unchanged images by content, not by size and time"),
		yes(whatToTake, "location", "keep where images were taken, in result, ledger and report"),
		yes(whatToTake, "allow-empty", "end with status 0 instead of 2 when there are no images"),
		number(limits, "url-connections", 2, from(1).to(256), "connections to one web server"),
		duration(limits, "url-interval", 200*time.Millisecond, from(time.Millisecond),
			"time between two requests to one web server"),
		text(whatToTake, "shard", "", "take part `I/N` of the images, from 0/N; the parts may run at the same time"),
		yes(whatToTake, "watch", "keep running, and take images that come or change; SIGTERM ends it"),
		duration(whatToTake, "settle", 2*time.Second, from(time.Millisecond),
			"time without a change after which --watch takes a file"),
		duration(whatToTake, "rescan", 10*time.Minute, from(time.Second),
			"time between full scans of the inputs with --watch"),
		failOnFlag(),
		yes(whatToTake, "dry-run", "print what would be made, skipped or rejected; make nothing"),
		text(delivery, "run", "", "`NAME` of this run (default: made of the time)"),
		number(delivery, "max-deliveries", 5, from(1), "failed deliveries after which a task becomes a dead letter"),
		duration(delivery, "lease", 30*time.Second, from(time.Second), "longest silence of a worker about a task it holds"),
		duration(delivery, "silent-lease", 5*time.Minute, from(time.Second), "lease of workers that send no heartbeats"),
		number(
			delivery,
			"stranger-prefetch",
			2,
			from(1).to(wire.MaxHeld),
			"unsettled tasks of a worker that names no prefetch",
		),
		duration(
			delivery,
			"wait-workers",
			0,
			from[time.Duration](0),
			"end with status 5 after so long without a worker; 0: wait",
		),
		duration(
			delivery,
			"stall-timeout",
			0,
			from[time.Duration](0),
			"end with status 6 after so long without progress; 0: wait",
		),
		text(delivery, "reject-dir", "", "copy rejected originals into `DIR`, each with a .reason file"),
		text(delivery, "on-reject", "", "`URL` to which each rejection is posted as JSON"),
		bytes(limits, "max-message", "64MiB", from[int64](1).to(maxMessage), "largest image file"),
		bytes(limits, "max-inflight-bytes", "64MiB", from[int64](1), "most bytes of images read and not yet handed out"),
		number(limits, "readers", 0, from(0).to(1024), "files read at the same time (default: 4; of a bucket 16)"),
		text(showing, "progress", "auto", "`FORM` of progress: auto, bar, plain, json (on stdout) or none"),
	})
}

// VentilatorProgram is the command line of the ventilator.
func VentilatorProgram() *cli.Command {
	return &cli.Command{
		Name:      "ventilator",
		Usage:     "find images and hand them to workers until every one is settled",
		ArgsUsage: "DIR|FILE|URL|- …",
		Description: `Finds images below directories (by their first bytes), hands them to the
connected workers, and waits until the sink has acknowledged every one.

` + argumentsHelp + `

   ventilator ~/Pictures                             thumbnails of 64, 128, 256
   ventilator --size 320,1280 ~/Pictures             other sizes
   ventilator --variant 'web=fit:1280x1280,format:webp' ~/Pictures
   ventilator s3://bucket/photos                     the images of a bucket
   ventilator urls.csv                               images on web servers
   ventilator --watch /srv/incoming                  images as they come
   find . -newer stamp -name '*.jpg' | ventilator -  the files of a list
   ventilator --dry-run ~/Pictures                   print what it would do

` + exitHelp,
		Flags: concat(recipeFlags(), findFlags(), []cli.Flag{
			text(whereToGo, "bind", loopback, "`HOST` or endpoint to listen on; port "+tasksPort+" unless it names one"),
			text(whereToGo, "sink", "127.0.0.1", "`HOST` of the sink; none: hand out without acknowledgement and end"),
			text(whereToGo, "control", "", "control `ENDPOINT` of the sink (default: port 5555 of --sink)"),
			text(whereToGo, "events", "", "events `ENDPOINT` of the sink (default: port 5556 of --sink)"),
			allowStrangersFlag(), waitBucketFlag(),
			yes(delivery, "by-reference", "let workers that can (--inputs-root) fetch the images themselves"),
		}, tlsFlags(), commonFlags("info; warn beside a bar", "127.0.0.1:8081")),
		Action: runVentilator,
	}
}

func runVentilator(ctx context.Context, c *cli.Command) error {
	screen := progress.NewScreen(os.Stderr)
	log, err := loggerOf(c, screen, usualLevel(c, screen))
	if err != nil {
		return err
	}
	network, err := networkOf(c, log, pki.Ventilator)
	if err != nil {
		return err
	}
	network.MaxConns = peerConns(openFileLimit(), socketsOfVentilator)
	registry := telemetry.NewRegistry()
	network.measure(registry)
	cfg, show, err := ventilatorConfig(c, screen, log, registry)
	if err != nil {
		return err
	}
	cfg.Bind = endpoint(usualScheme(c), c.String("bind"), tasksPort)
	cfg.Control, cfg.Events = either(c, "control", "sink", controlPort), either(c, "events", "sink", eventsPort)
	if err := cmp.Or(checkEndpoints(c, cfg.Bind, cfg.Control, cfg.Events), checkBinds(c, cfg.Bind)); err != nil {
		return err
	}
	cfg.Network = network.Network
	if c.String("sink") == ventilator.NoSink && c.String("control") == "" {
		cfg.Control = ventilator.NoSink
	}
	cfg.ByReference = c.Bool("by-reference")
	cfg.RefuseStrangers = !allowStrangers(c, cfg.Bind)
	if err := refuseSinkInInput(ctx, &cfg, log); err != nil {
		return err
	}
	without := endWithout
	if cfg.Run != "" { // it may be started again, and is to go on when the store is back
		without = waitForStore
	}
	if err := probeBuckets(ctx, c, probedInputs(&cfg), without, log); err != nil {
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
	admin, err := startAdmin(c, network, log, registry, v.Ready, nil)
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
	s := summary{run: &run, leftOut: v.LeftOut(), strangers: strangersAsked(c),
		ledgerFlags: "--sink " + shellWord(c.String("sink"))}
	return finish(c, s, err, first(), show)
}

// ventilatorConfig returns the configuration of findFlags and recipeFlags. Progress is shown on screen.
func ventilatorConfig(
	c *cli.Command,
	screen *progress.Screen,
	log *slog.Logger,
	reg prometheus.Registerer,
) (ventilator.Config, progress.Reporter, error) {
	what, err := recipeOf(c)
	if err != nil {
		return ventilator.Config{}, nil, err
	}
	mode := c.String("progress")
	if c.Bool("quiet") && mode != "json" { // JSON lines are data
		mode = "none"
	}
	show, err := progress.New(mode, screen, stdout())
	if err != nil {
		return ventilator.Config{}, nil, usagef("--%v", err)
	}
	if c.Args().Len() == 0 {
		return ventilator.Config{}, nil, usagef("name a directory of images, a file, s3://BUCKET/PREFIX, " +
			"or - for a list on standard input")
	}
	if dir := c.String("reject-dir"); dir != "" {
		if err := refuseInput("rejected originals", "reject-dir", dir, c.Args().Slice()); err != nil {
			return ventilator.Config{}, nil, err
		}
	}
	if _, err := failOnOf(c); err != nil {
		return ventilator.Config{}, nil, err
	}
	var part ventilator.Part
	if text := c.String("shard"); text != "" {
		if part, err = ventilator.ParsePart(text); err != nil {
			return ventilator.Config{}, nil, usagef("--shard: %v", err)
		}
	}
	host, _ := os.Hostname() // for display only
	return ventilator.Config{
		Inputs: c.Args().Slice(), Stdin: os.Stdin, Part: part,
		Watching: c.Bool("watch"), Settle: c.Duration("settle"), Rescan: c.Duration("rescan"),
		Select: selectionOf(c, bucketConfig(log, reg), webConfig(c)),
		Recipe: what, Run: c.String("run"), Host: host, Force: c.Bool("force"),
		Checksum: c.Bool(
			"checksum",
		), Location: c.Bool("location"), AllowEmpty: c.Bool("allow-empty"), DryRun: c.Bool("dry-run"),
		Report:     dryRunPrinter(mode),
		MaxMessage: bytesOf(c, "max-message"), Readers: c.Int("readers"),
		Dispatch: dispatch.Config{
			MaxInflightBytes: bytesOf(
				c,
				"max-inflight-bytes",
			), MaxDeliveries: c.Int("max-deliveries"), Lease: c.Duration("lease"),
			SilentLease: c.Duration("silent-lease"), StrangerPrefetch: c.Int("stranger-prefetch"),
		},
		WaitWorkers: c.Duration(
			"wait-workers",
		), StallTimeout: c.Duration("stall-timeout"), Watch: show.Show, Logger: log, Registerer: reg,
	}, show, nil
}

// selectionOf returns what selectFlags select.
func selectionOf(c *cli.Command, buckets bucket.Config, web source.Web) source.Config {
	web.Column = c.String("url-column")
	return source.Config{
		Include: c.StringSlice("include"), Exclude: c.StringSlice("exclude"), Hidden: c.Bool("hidden"),
		FollowLinks: c.Bool("follow-links"), Bucket: buckets, Web: web,
	}
}

// webConfig says how web servers are asked.
func webConfig(c *cli.Command) source.Web {
	return source.Web{
		Connections: c.Int("url-connections"), Interval: c.Duration("url-interval"),
		Timeout: c.Duration("url-timeout"), MaxBody: bytesOf(c, "max-message"), AllowPrivate: c.Bool("allow-private"),
		IgnoreOptOut: c.Bool("ignore-opt-out"),
	}
}

// dryRunPrinter returns a function that prints a line of a dry run, as it is or as JSON. Tabs separate its fields.
func dryRunPrinter(progressMode string) func(line string) error {
	if progressMode != "json" {
		return func(line string) error {
			_, err := fmt.Fprintln(stdout(), line)
			return err
		}
	}
	out := json.NewEncoder(stdout())
	return func(line string) error {
		fields := append(strings.SplitN(line, "\t", 3), "", "")
		return out.Encode(map[string]string{
			"message_type": "dry_run", "action": fields[0], "filename": fields[1], "detail": fields[2],
		})
	}
}
