// Package ventilator finds images, hands them out as tasks to whichever workers are there, and waits until every one of
// them is settled.
//
// A run is a pipeline of bounded stages, each a goroutine: a finder walks the inputs, an asker drops what the sink's
// ledger knows to be settled, readers turn files into messages, and one loop owns the dispatcher, a state machine
// without I/O that decides which peer gets which task. What comes back comes as receipts, by event or, when asked,
// over control.
package ventilator

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/prometheus/client_golang/prometheus"
)

// NoSink as Config.Control says that nobody acknowledges: a task counts as done when a worker's connection took it.
const NoSink = "none"

// Config says what a run does. The zero value of an optional field means the default that its comment names.
type Config struct {
	Inputs  []string      // directories, files, or "-" for a list of paths on Stdin; required
	Stdin   io.Reader     // read when Inputs holds "-"
	Include []string      // globs; when given, a file must match one. A glob without a slash is matched with the base name
	Exclude []string      // globs of files and directories to leave out
	Hidden  bool          // take files and directories whose name begins with a dot
	Recipe  recipe.Recipe // what to make; required

	Bind    string         // endpoint that workers connect to, e.g. "tcp://127.0.0.1:5557"; required
	Control string         // the sink's control endpoint, or NoSink; required
	Events  string         // the sink's events endpoint
	Network zsock.Network  // what its sockets share; default: no inproc endpoints, Logger
	Listen  func(b string) // told the bound endpoint, once; may be nil

	Run      string            // the run's name; default: made from the time and a random number
	Host     string            // where this ventilator runs, shown to operators
	Force    bool              // transform what is settled, too
	Checksum bool              // task ids from content instead of size and modification time
	DryRun   bool              // say what would be done, send nothing
	Report   func(line string) // DryRun's lines

	MaxMessage int64           // largest image, bytes; default 64 MiB
	Readers    int             // files read at once; default 4
	Dispatch   dispatch.Config // how tasks are delivered, and delivered again

	Audit        time.Duration                     // how often the sink is asked about leased tasks; default 1 s
	WaitWorkers  time.Duration                     // how long without any worker before ErrNoWorkers; default 0: for ever
	StallTimeout time.Duration                     // how long without a settled task before ErrStalled; default 0: for ever
	Rejected     func(path string, r wire.Receipt) // told each rejection of this run and where its original is; must not block; may be nil
	Watch        func(wire.Run)                    // told the counts several times a second and at the end; may be nil
	Logger       *slog.Logger
	Registerer   prometheus.Registerer // default: metrics are kept but not exported
}

// The errors by which a run ends early, beside the context's.
var (
	ErrNoWorkers = errors.New("no worker came")
	ErrStalled   = errors.New("the run stalled")
	ErrCancelled = errors.New("an operator cancelled the run")
)

// UsageError is a configuration that must be refused before any work.
type UsageError struct{ Problem string }

func (e *UsageError) Error() string { return e.Problem }

func usage(format string, args ...any) error {
	return &UsageError{Problem: fmt.Sprintf(format, args...)}
}

func defaultTo[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c *Config) setDefaults() {
	defaultTo(&c.MaxMessage, 64<<20)
	defaultTo(&c.Readers, 4)
	defaultTo(&c.Audit, time.Second)
	if c.Watch == nil {
		c.Watch = func(wire.Run) {}
	}
	if c.Rejected == nil {
		c.Rejected = func(string, wire.Receipt) {}
	}
	if c.Report == nil {
		c.Report = func(string) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Network = c.Network.WithLogger(c.Logger)
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
}

// Validate says in a sentence what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case len(c.Inputs) == 0:
		return usage("no input: name a directory, a file, or - for a list on standard input")
	case len(c.Recipe.Variants) == 0:
		return usage("the recipe makes nothing")
	case c.Bind == "" && !c.DryRun:
		return usage("no endpoint to bind")
	case c.Control == "":
		return usage("no sink: give its address, or %q", NoSink)
	case c.Control != NoSink && c.Events == "":
		return usage("no events endpoint")
	case c.MaxMessage < 0 || c.Readers < 0:
		return usage("a limit is negative")
	case min(c.Audit, c.WaitWorkers, c.StallTimeout) < 0:
		return usage("a time is negative")
	case c.MaxMessage > 1<<31:
		return usage("max-message %d is beyond 2 GiB", c.MaxMessage)
	}
	if err := c.Dispatch.Validate(); err != nil {
		return usage("%v", err)
	}
	return nil
}
