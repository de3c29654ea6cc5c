// Package dashboard serves the live page of a farm, and the same data as JSON and server-sent events for programs.
//
// The dashboard reads the sink's status once a second, however many pages are open, and subscribes to the sink's
// events. Every page gets the same encoded bytes. A dashboard never delays the sink: a slow page misses updates, and
// the number of pages is bounded. docs/API.md specifies the interface for programs.
package dashboard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Source is the sink that is shown.
type Source interface {
	// Status returns the sink's view of the farm. It must not block. The dashboard calls it at most four times a second.
	Status() *wire.Status

	// Watch subscribes to events. The returned function ends the subscription and closes the channel. The source drops
	// events, and never waits, when the channel is full.
	Watch(buffer int) (<-chan wire.Event, func())

	wire.LedgerReader
	Past
}

// Past reads what the ledger holds from before the sink started.
type Past interface {
	// Last returns the entries that were settled last, newest first. With refused, it returns rejected and dead ones only.
	Last(ctx context.Context, refused bool, limit int) ([]wire.Receipt, error)

	// Reasons returns the number of entries by reason, and the number of dead letters as "dead".
	Reasons() (map[string]uint64, error)

	// SettledBefore returns about how many entries were settled before each of the given times.
	SettledBefore([]time.Time) ([]uint64, error)
}

// Outputs opens the images that the farm made. Open returns fs.ErrNotExist for an unknown name. Its result may have a
// method Stat() (fs.FileInfo, error), which gives browsers the time of the last change.
type Outputs interface {
	Open(name string) (io.ReadSeekCloser, error)
}

// Actions are what an operator may do from the page.
type Actions interface {
	// Retry makes rejected and dead tasks due again for the next run, and returns their number.
	Retry(context.Context, wire.EntriesArgs) (int, error)

	// Steer pauses, resumes or cancels a run, or all live runs when it names none.
	Steer(context.Context, wire.Steering) error
}

// Config configures a dashboard. The zero value of an optional field means the default that its comment names.
type Config struct {
	Source  Source  // required
	Outputs Outputs // nil: no images are shown

	// Actions are offered to whoever reaches the handler, so it has to be behind a gate that lets only operators call
	// methods other than GET and HEAD. Nil: the page offers none.
	Actions Actions

	EndsWithRun bool         // the sink serves one run and ends with it
	Report      http.Handler // answers /report.html; nil: there is none
	MaxClients  int          // pages and event streams at the same time; default 200
	Logger      *slog.Logger // nil: no logging
}

// Validate returns an error that says what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Source == nil:
		return errors.New("the dashboard has no source: set Source")
	case c.MaxClients < 0 || c.MaxClients > 10_000:
		return fmt.Errorf("max clients is %d: it must be between 1 and 10000", c.MaxClients)
	}
	return nil
}

func (c *Config) setDefaults() {
	if c.MaxClients == 0 {
		c.MaxClients = 200
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
