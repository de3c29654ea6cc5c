// Package sink collects what workers made, keeps the ledger, and answers everyone who subscribes or asks.
//
// A result passes through bounded stages. The intake receives and decodes it. Writers write the bytes of its
// outputs. The committer flushes the outputs of a group of results, commits the group to the ledger, and only then
// publishes receipts. A stage that cannot go on, because the disk is full for instance, stops the stages before it
// and in the end the workers: nothing is dropped.
package sink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/shard"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Store holds the outputs. The sink writes outputs that come with results, and looks whether outputs are there.
type Store interface {
	blob.Writer
	blob.Reader

	// PutFrom is that of a blob.Store.
	PutFrom(ctx context.Context, name string, open func() (io.ReadCloser, error)) error
}

// Config says what a sink does. The zero value of an optional field means the default that its comment names.
type Config struct {
	Results string // endpoint that workers push results to; required
	Events  string // endpoint that publishes events; required
	Control string // endpoint that answers control calls; required
	// LocalControl and LocalEvents are further endpoints, for operators' commands on this machine. A failure to listen
	// there is logged, and the sink works without them. Default: none.
	LocalControl, LocalEvents string

	Network zsock.Network                         // what its sockets share; default: no inproc endpoints, Logger
	Listen  func(results, events, control string) // called once with the bound endpoints; may be nil

	Out    Store          // required unless Shards is set
	Shards *shard.Set     // takes the outputs in place of Out; the caller closes it after Run
	Ledger *ledger.Ledger // required; the caller closes it after Run

	OutPath    string // shown to operators
	LedgerPath string // shown to operators
	Host       string // shown to operators
	Version    string // shown to operators

	// RefuseStrangers admits only results with a right ticket, and only heartbeats and runs whose senders prove who
	// they are. Default: the sink also admits senders that know only the earlier or the bare messages.
	RefuseStrangers bool

	MaxMessage    int64                 // largest result, bytes; default 64 MiB
	Writers       int                   // outputs written at once; default 4
	GroupCommit   time.Duration         // how long a result waits to be committed with others; default 20 ms, at most 50
	WorkerTimeout time.Duration         // a worker that is silent for longer is lost; default 3 s
	Logger        *slog.Logger          // default: nothing is logged
	Registerer    prometheus.Registerer // default: metrics are kept but not exported
}

func (c Config) withDefaults() Config {
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
	return c
}

// Validate returns an error that says in a sentence what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Results == "" || c.Events == "" || c.Control == "":
		return errors.New("the sink needs endpoints for results, events and control")
	case c.Out == nil && c.Shards == nil:
		return errors.New("the sink needs a store for outputs")
	case c.Ledger == nil:
		return errors.New("the sink needs a ledger")
	case c.MaxMessage < 1 || c.MaxMessage > 1<<31:
		return fmt.Errorf("max-message %d: it must be between 1 byte and 2 GiB", c.MaxMessage)
	case c.Writers < 1 || c.Writers > 256:
		return fmt.Errorf("writers %d: it must be between 1 and 256", c.Writers)
	case c.GroupCommit < 0 || c.GroupCommit > 50*time.Millisecond:
		return fmt.Errorf("group commit %v: it must be between 0 and 50ms", c.GroupCommit)
	}
	return nil
}
