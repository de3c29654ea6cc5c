// Package dashboard shows a farm live: a page for people, and the same as JSON and server-sent events for programs.
//
// It reads the sink's status once a second, whoever watches, and hears the sink's events; every open page gets the same
// encoded bytes. Nothing here can hold up the sink: a page that is slow misses what came meanwhile, and there is a bound
// on how many may watch. docs/API.md tells outsiders what they may rely on.
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
	// Status returns the sink's view of the farm; it must be quick. The dashboard asks at most four times a second.
	Status() *wire.Status

	// Watch returns the events from now on and a function that ends the watch and closes the channel. It must not wait
	// for a slow listener.
	Watch(buffer int) (<-chan wire.Event, func())

	// Entries returns a page of the ledger. An error is the asker's fault, or the ledger's.
	Entries(context.Context, wire.EntriesArgs) (*wire.Entries, error)

	Past
}

// Past is what the sink's ledger knows of the time before the sink was started.
type Past interface {
	// Runs returns the runs, newest first.
	Runs(context.Context) ([]wire.Run, error)

	// Last returns the entries that were settled last, newest first; with refused, the rejected and dead ones of them.
	Last(ctx context.Context, refused bool, limit int) ([]wire.Receipt, error)

	// Reasons returns how many entries there are of each reason, and as "dead" how many dead letters.
	Reasons() (map[string]uint64, error)

	// SettledBefore returns how many entries there are from before each of the given times, nearly.
	SettledBefore([]time.Time) ([]uint64, error)
}

// Outputs is where the images are that the farm made. The error for a name that holds nothing is fs.ErrNotExist. What
// Open returns may have a method Stat() (fs.FileInfo, error), by which browsers learn when it changed.
type Outputs interface {
	Open(name string) (io.ReadSeekCloser, error)
}

// Actions is what an operator may do from the page.
type Actions interface {
	// Retry makes rejected and dead tasks due again, for the next run, and returns how many those are.
	Retry(context.Context, wire.EntriesArgs) (int, error)

	// Steer pauses, resumes or cancels a run, or all live ones when it names none.
	Steer(context.Context, wire.Steering) error
}

// Config says what a dashboard shows. The zero value of an optional field means the default that its comment names.
type Config struct {
	Source  Source  // required
	Outputs Outputs // nil: no images are shown

	// Actions are offered to those who know ActionToken. Nil: none are, and the page does not mention any.
	Actions     Actions
	ActionToken string // at least 8 bytes; required with Actions

	EndsWithRun bool         // the sink serves one run and ends with it
	Report      http.Handler // answers /report.html; nil: there is none
	MaxClients  int          // pages and other listeners at once; default 200
	Logger      *slog.Logger // nil: nobody is told
}

// leastToken is the length in bytes of the shortest token that is not guessed at once.
const leastToken = 8

// Validate says in a sentence what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Source == nil:
		return errors.New("the dashboard needs a source to show")
	case c.Actions != nil && len(c.ActionToken) < leastToken:
		return fmt.Errorf("the action token has %d bytes; it must have at least %d", len(c.ActionToken), leastToken)
	case c.MaxClients < 0 || c.MaxClients > 10_000:
		return fmt.Errorf("max clients %d: between 1 and 10000", c.MaxClients)
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
