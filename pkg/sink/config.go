// Package sink collects what workers made, keeps the ledger, and tells everybody who listens or asks.
//
// A result passes through bounded stages: received, decoded, its bytes written, and then, together with whatever else
// has come meanwhile, made durable, committed to the ledger, and only then acknowledged by a receipt. A stage that cannot
// go on (the disk is full) stops the ones before it, and so, in the end, the workers: nothing is dropped.
package sink

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/prometheus/client_golang/prometheus"
)

// Store is where a sink writes the outputs whose bytes come with results, and looks whether outputs are there.
type Store interface {
	blob.Writer
	blob.Reader
}

// Config says what a sink does. The zero value of an optional field means the default that its comment names.
type Config struct {
	Results string // endpoint that workers push results to; required
	Events  string // endpoint that publishes events; required
	Control string // endpoint that answers control; required
	// LocalControl and LocalEvents are further endpoints, for operators' commands on this machine. A failure to listen
	// there is logged, and the sink works without them. Default: none.
	LocalControl, LocalEvents string

	Network zsock.Network                         // what its sockets share; default: no inproc endpoints, Logger
	Listen  func(results, events, control string) // told the bound endpoints, once; may be nil

	Out    Store          // required
	Ledger *ledger.Ledger // required; the caller closes it after Run

	OutPath    string // shown to operators
	LedgerPath string
	Host       string
	Version    string

	MaxMessage    int64         // largest result, bytes; default 64 MiB
	Writers       int           // outputs written at once; default 4
	GroupCommit   time.Duration // how long a result may wait for others to be committed with; default 20 ms, at most 50 ms
	WorkerTimeout time.Duration // a worker silent for longer is lost; default 3 s
	Logger        *slog.Logger
	Registerer    prometheus.Registerer // default: metrics are kept but not exported
}

func (c *Config) setDefaults() {
	if c.MaxMessage == 0 {
		c.MaxMessage = 64 << 20
	}
	if c.Writers == 0 {
		c.Writers = 4
	}
	if c.GroupCommit == 0 {
		c.GroupCommit = 20 * time.Millisecond
	}
	if c.WorkerTimeout == 0 {
		c.WorkerTimeout = 3 * time.Second
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
	case c.Results == "" || c.Events == "" || c.Control == "":
		return errors.New("the sink needs endpoints for results, events and control")
	case c.Out == nil:
		return errors.New("the sink needs a place for outputs")
	case c.Ledger == nil:
		return errors.New("the sink needs a ledger")
	case c.MaxMessage < 1 || c.MaxMessage > 1<<31:
		return fmt.Errorf("max-message %d: between 1 byte and 2 GiB", c.MaxMessage)
	case c.Writers < 1 || c.Writers > 256:
		return fmt.Errorf("writers %d: between 1 and 256", c.Writers)
	case c.GroupCommit < 0 || c.GroupCommit > 50*time.Millisecond:
		return fmt.Errorf("group commit %v: between 0 and 50ms", c.GroupCommit)
	}
	return nil
}
