// Package worker takes tasks, transforms their images and sends the results to the sink.
//
// A worker has two sockets and no lasting state: a PULL socket that receives tasks and a PUSH socket that sends
// results. Any number of workers may come and go at any time. The tasks of a worker that dies are redelivered to
// another.
package worker

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Config says what a worker does. The zero value of an optional field means the default that its comment names.
type Config struct {
	Name        string        // unique among the workers of a farm; required
	Ventilators []string      // endpoints that hand out tasks; required
	Results     string        // the sink's results endpoint; required
	Network     zsock.Network // what its sockets share; default: no inproc endpoints, Logger

	Engine  engine.Engine // required
	Memory  zsock.Memory  // where tasks are received; best the memory that Engine reads; default: ordinary memory
	Inputs  Inputs        // where images are to which tasks refer; nil: the worker takes no such tasks
	Default recipe.Recipe // recipe of tasks that bring none; default: thumbnails of 64, 128 and 256 pixels
	Out     blob.Writer   // where the worker writes outputs; nil: the sink writes them
	Bare    bool          // send only the names of outputs, for a sink that knows no results; needs Out

	Slots      int   // concurrent transforms; default: one for each processor
	Ahead      int   // tasks for each slot that wait in Engine, beside the one that is transformed; default 0
	Prefetch   int   // unsettled tasks that the worker may hold, those in Engine included; default: DefaultPrefetch
	MaxMessage int64 // largest task and largest result, bytes; default 64 MiB
	// HeldBytes bounds the tasks of a ventilator that wait for the engine or are in it, in bytes; one task may exceed it
	// alone. It counts once for each ventilator that is connected, and their tasks share the sum. Default: a
	// largest task for each slot and one more, at least 16 MiB for each of Prefetch.
	HeldBytes  int64
	Heartbeat  time.Duration // default 1 s
	Logger     *slog.Logger
	Registerer prometheus.Registerer // default: metrics are kept and not exported
}

// DefaultPrefetch is wire.DefaultPrefetch of so many slots (0: one for each processor).
func DefaultPrefetch(slots int) int {
	if slots == 0 {
		slots = runtime.GOMAXPROCS(0)
	}
	return wire.DefaultPrefetch(slots)
}

// withDefaults returns c with every zero field set to its default.
func (c Config) withDefaults() Config {
	if len(c.Default.Variants) == 0 {
		c.Default = recipe.Default()
	}
	if c.Slots == 0 {
		c.Slots = runtime.GOMAXPROCS(0)
	}
	if c.Prefetch == 0 {
		c.Prefetch = DefaultPrefetch(c.Slots)
	}
	if c.MaxMessage == 0 {
		c.MaxMessage = 64 << 20
	}
	if c.HeldBytes == 0 {
		c.HeldBytes = max(int64(c.Slots+1)*c.MaxMessage, int64(c.Prefetch)*16<<20)
	}
	if c.Memory == nil {
		c.Memory = zsock.OrdinaryMemory{}
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = time.Second
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

// Validate says in a sentence what is wrong with c.
func (c *Config) Validate() error {
	switch {
	case c.Name == "" || len(c.Name) > 128:
		return fmt.Errorf("worker name %q: it must have 1 to 128 bytes", c.Name)
	case len(c.Ventilators) == 0:
		return errors.New("no ventilator to take tasks from")
	case c.Results == "":
		return errors.New("no sink to send results to")
	case c.Engine == nil:
		return errors.New("no engine")
	case c.Bare && c.Out == nil:
		return errors.New("bare results carry no bytes: they need a directory for outputs")
	case c.Slots < 1 || c.Slots > 1024:
		return fmt.Errorf("slots %d: between 1 and 1024", c.Slots)
	case c.Ahead < 0 || c.Ahead > 10:
		return fmt.Errorf("ahead %d: between 0 and 10", c.Ahead)
	case c.Prefetch < c.Slots || c.Prefetch > wire.MaxHeld:
		return fmt.Errorf("prefetch %d: between the %d slots and %d", c.Prefetch, c.Slots, wire.MaxHeld)
	case c.MaxMessage < 1 || c.MaxMessage > 1<<31:
		return fmt.Errorf("max-message %d: between 1 byte and 2 GiB", c.MaxMessage)
	case c.HeldBytes < 1:
		return fmt.Errorf("held bytes %d: at least 1", c.HeldBytes)
	}
	return nil
}
