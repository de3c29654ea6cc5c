// Package ventilator finds images, sends them as tasks to workers, and waits until every task is settled.
//
// A run is a pipeline of bounded stages, each with goroutines of its own. The walk finds images and asks the sink
// which of them are settled already (walk.go). Readers turn them into messages (read.go). The loop (loop.go) owns the
// dispatcher, a state machine without I/O that decides which worker gets which task; send.go sends them. Receipts
// (receipts.go) come as events (events.go), which may be lost, or as answers of the sink (sink.go). counts.go says
// how far the run is, and end.go when it ends.
package ventilator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// NoSink as Config.Control says that there is no sink: a task counts as handed out when a worker's connection has
// sent it.
const NoSink = "none"

// Config says what a run does. A zero field means its default; those without one are required.
type Config struct {
	Inputs []string      // directories, files, or "-" for a list of paths on Stdin; required
	Stdin  io.Reader     // the list of paths; required if Inputs holds "-"
	Select source.Config // which files of the inputs are taken; default: all but hidden ones
	Part   Part          // which images of them; default: all
	Recipe recipe.Recipe // what to make of each image; required

	// Watching makes the run go on when everything is settled: images that come or change later are found, too. It ends by
	// Drain. Inputs must be directories. Settle and Rescan are those of source.WatchConfig.
	Watching       bool
	Settle, Rescan time.Duration

	// AllowEmpty lets a run that finds no image succeed. Default: such a run is refused, because its inputs are
	// probably a mistake.
	AllowEmpty bool

	Bind    string                // endpoint that workers connect to, e.g. "tcp://127.0.0.1:5557"; required
	Control string                // endpoint of the sink's calls, or NoSink; required
	Events  string                // endpoint of the sink's events; required with a sink
	Network zsock.Network         // shared by all sockets; default: no inproc endpoints, Logger
	Listen  func(endpoint string) // called once, with the endpoint that Bind became; default: not called

	Run  string // name of the run, to which the index of a Part is added; default: made of the time and a random number
	Host string // where this ventilator runs, shown to operators; default: not shown
	// ByReference sends workers that can fetch the images themselves references instead of bytes.
	ByReference bool
	Force       bool // transform images that are settled already, too
	Checksum    bool // make task ids of content instead of size and modification time
	Location    bool // have workers tell where images were taken
	DryRun      bool // only report what would be done

	// Report is called with each line of a dry run, which its error ends. Default: not called.
	Report func(line string) error

	// RefuseStrangers gives no task to a worker that announces no token. Default: such workers get tasks, too.
	RefuseStrangers bool

	MaxMessage int64           // size of the largest image that is sent, bytes, at most 2 GiB; default 64 MiB
	Readers    int             // files that are read at a time; default 4, or 16 if an input is a bucket
	Dispatch   dispatch.Config // how tasks are delivered and redelivered

	Audit        time.Duration // how often the sink is asked about leased tasks; default 1 s
	WaitWorkers  time.Duration // how long the run goes on without any worker; default 0: for ever
	StallTimeout time.Duration // how long the run goes on while no task is settled; default 0: for ever

	// Rejected is called with each rejection of this run and the image that was rejected. Default: not called.
	// Watch is called with the counts, 5 times a second and at the end. Default: not called.
	// The run's loop calls both; they must not block.
	Rejected func(o Original, r wire.Receipt)
	Watch    func(wire.Run)

	Logger     *slog.Logger          // default: nothing is logged
	Registerer prometheus.Registerer // default: metrics are kept and not exported
}

// Original is the input of a rejected image. It may be opened at any time, also after the run.
type Original struct {
	Path string // where it is, for people
	Open func(context.Context) (*source.File, error)
}

// The errors with which a run ends early, apart from the context's cause.
var (
	ErrNoWorkers = errors.New("no worker came")
	ErrStalled   = errors.New("the run stalled")
	ErrCancelled = errors.New("an operator cancelled the run")
)

// UsageError says in a sentence what is wrong with a Config or with the inputs. It comes before any work.
type UsageError struct{ Problem string }

func (e *UsageError) Error() string { return e.Problem }

func usage(format string, args ...any) error {
	return &UsageError{Problem: fmt.Sprintf(format, args...)}
}

// fileReaders and bucketReaders are the defaults of Config.Readers. A store takes tens of milliseconds to answer, in
// which a reader waits and needs no processor.
const (
	fileReaders   = 4
	bucketReaders = 16
)

// withDefaults returns c with every zero field set to its default.
func (c Config) withDefaults() Config {
	if c.MaxMessage == 0 {
		c.MaxMessage = 64 << 20
	}
	if c.Readers == 0 {
		c.Readers = fileReaders
		if slices.ContainsFunc(c.Inputs, source.IsBucket) {
			c.Readers = bucketReaders
		}
	}
	if c.Audit == 0 {
		c.Audit = time.Second
	}
	if c.Watch == nil {
		c.Watch = func(wire.Run) {}
	}
	if c.Rejected == nil {
		c.Rejected = func(Original, wire.Receipt) {}
	}
	if c.Report == nil {
		c.Report = func(string) error { return nil }
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Network = c.Network.WithLogger(c.Logger)
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	return c
}

// Validate returns a *UsageError if something is wrong with c.
func (c *Config) Validate() error {
	switch {
	case len(c.Inputs) == 0:
		return usage("no input: name a directory, a file, or - for a list on standard input")
	case len(c.Recipe.Variants) == 0:
		return usage("the recipe has no variant: name at least one output to make")
	case c.Bind == "" && !c.DryRun:
		return usage("no endpoint that workers can connect to")
	case c.Control == "":
		return usage("no sink: give its address, or %q", NoSink)
	case c.Control != NoSink && c.Events == "":
		return usage("no endpoint of the sink's events")
	case c.MaxMessage < 0 || c.MaxMessage > 1<<31:
		return usage("the largest message is %d bytes; it must be between 0 and 2 GiB", c.MaxMessage)
	case c.Watching && c.DryRun:
		return usage("a dry run watches nothing")
	case c.Watching && c.Control == NoSink:
		return usage("a run that watches needs a sink")
	case c.Readers < 0:
		return usage("the number of readers is negative")
	case min(c.Audit, c.WaitWorkers, c.StallTimeout, c.Settle, c.Rescan) < 0:
		return usage("a time is negative")
	}
	if err := c.Part.Validate(); err != nil {
		return usage("%v", err)
	}
	if err := c.Dispatch.Validate(); err != nil {
		return usage("%v", err)
	}
	return nil
}
