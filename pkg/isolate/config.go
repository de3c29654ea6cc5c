package isolate

import (
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"time"
)

// Config says how an Engine runs. The zero value of every field but Engine means its default.
type Config struct {
	// Engine is the name that the children's open function gets, and that Name returns. Required.
	Engine string

	// Settings is handed to the children's open function as it is: limits, the directory of assets, …, in whatever
	// encoding the program likes. At most 64 KiB.
	Settings []byte

	// Slots is the number of children, that is, of transforms at work at once; Turns as many may be under way. Default
	// GOMAXPROCS.
	Slots int

	// Threads is the GOMAXPROCS of each child. Default 1: it is the slots that keep the processors busy.
	Threads int

	// TaskTimeout ends a transform that takes longer, from when its child comes to it. Time in which the child waited for a
	// processor does not count, so that a busy machine condemns no image; see "Time". Default 60 s.
	TaskTimeout time.Duration

	// TaskMemory bounds the private memory of a child, in bytes. Default 1 GiB, least 64 MiB. Below about 120 MiB
	// the collector spends more time than the transform.
	TaskMemory int64

	// MaxInput is the largest image, in bytes; larger ones are rejected as too large. Default 64 MiB.
	MaxInput int64

	// MaxOutput bounds the outputs of one image together, in bytes. Default 256 MiB. Each slot takes Turns times as much
	// address space, and as much memory as is written.
	MaxOutput int64

	// Buffers is the number of images that may lie in memory from Buffer at once. Default 0: Buffer returns
	// ordinary memory. Each takes up the largest image it held, at most 8 MiB between images.
	Buffers int

	// StartTimeout is how long a child may take until it is ready. Default 30 s.
	StartTimeout time.Duration

	// Env is added to the few environment variables that children inherit, as "NAME=value".
	Env []string

	// Log gets a line for every child that ended by itself or had to be ended. Default: nothing is logged.
	Log *slog.Logger
}

const minTaskMemory = 64 << 20

// withDefaults returns c with every zero field set to its default.
func (c Config) withDefaults() Config {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&c.TaskMemory, 1<<30)
	def(&c.MaxInput, 64<<20)
	def(&c.MaxOutput, 256<<20)
	if c.Slots == 0 {
		c.Slots = runtime.GOMAXPROCS(0)
	}
	if c.Threads == 0 {
		c.Threads = 1
	}
	if c.TaskTimeout == 0 {
		c.TaskTimeout = time.Minute
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 30 * time.Second
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Validate reports the first field whose value cannot be used.
func (c Config) Validate() error {
	c = c.withDefaults()
	switch {
	case c.Engine == "":
		return fmt.Errorf("Engine is empty: name the engine that the children are to open")
	case len(c.Engine) > maxWord:
		return fmt.Errorf("Engine has %d bytes; at most %d are allowed", len(c.Engine), maxWord)
	case len(c.Settings) > maxSettings:
		return fmt.Errorf("Settings has %d bytes; at most %d are allowed", len(c.Settings), maxSettings)
	case c.Slots < 1 || c.Slots > 1024:
		return fmt.Errorf("Slots is %d; it must be from 1 to 1024", c.Slots)
	case c.Threads < 1:
		return fmt.Errorf("Threads is %d; it must be at least 1", c.Threads)
	case c.TaskTimeout < 0:
		return fmt.Errorf("TaskTimeout is %v; it must be positive", c.TaskTimeout)
	case c.TaskMemory < minTaskMemory || c.TaskMemory > math.MaxInt64/2:
		return fmt.Errorf("TaskMemory is %d bytes; it must be at least %d", c.TaskMemory, minTaskMemory)
	case c.MaxInput < 1 || c.MaxInput > 4<<30:
		return fmt.Errorf("MaxInput is %d bytes; it must be from 1 to 4 GiB", c.MaxInput)
	case c.MaxOutput < 1 || c.MaxOutput > 4<<30:
		return fmt.Errorf("MaxOutput is %d bytes; it must be from 1 to 4 GiB", c.MaxOutput)
	case c.Buffers < 0 || c.Buffers > 1<<16:
		return fmt.Errorf("Buffers is %d; it must be from 0 to 65,536", c.Buffers)
	case c.StartTimeout < 0:
		return fmt.Errorf("StartTimeout is %v; it must be positive", c.StartTimeout)
	}
	for _, e := range c.Env {
		if !strings.Contains(e, "=") {
			return fmt.Errorf("Env has %q; it must be NAME=value", e)
		}
	}
	return nil
}
