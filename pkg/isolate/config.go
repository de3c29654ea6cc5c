package isolate

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Config configures an Engine. The zero value of every field but Engine means its default.
type Config struct {
	// Engine is the name of the engine that the children open, and what Name returns. Required.
	Engine string

	// Settings is passed to the children's open function unchanged: limits, the directory of assets, and so on, in an
	// encoding of the program's choice. At most 64 KiB.
	Settings []byte

	// Libraries returns what a child must have loaded before it can make r of image. It is called for every transform
	// and should be fast. The first time that it names a library, it may take seconds to have that made. It returns
	// when the context ends. Default: nothing.
	Libraries func(ctx context.Context, image []byte, r recipe.Recipe) Libraries

	// Slots is the number of children, and so of concurrent transforms. Up to Turns × Slots calls of Transform have a
	// child; further ones wait. Default GOMAXPROCS.
	Slots int

	// Threads is the GOMAXPROCS of each child. Default 1, because one child for each processor keeps all of them busy.
	Threads int

	// TaskTimeout is the longest that a transform may take, from the start of its turn. Time in which the child waits
	// for a processor does not count; see "Time" above. Default 60 s.
	TaskTimeout time.Duration

	// TaskMemory bounds the private memory of a child, in bytes. Default 1 GiB; at least 64 MiB. Below about 120 MiB
	// garbage collection takes longer than the transforms.
	TaskMemory int64

	// MaxInput is the largest image in bytes; a larger one is rejected as too large. Default 64 MiB.
	MaxInput int64

	// MaxOutput bounds the sum of the outputs of one image, in bytes. Default 256 MiB. Each slot reserves Turns times
	// as much address space, and uses as much memory as was written.
	MaxOutput int64

	// Buffers is how many buffers Buffer can lend at once. Each takes up as much memory as its largest image, and at
	// most 8 MiB while it is not lent. Default 0: Buffer returns ordinary memory.
	Buffers int

	// Readable lists files and directories that the children's open function may read besides system libraries. On a
	// kernel with Landlock the function can read no others.
	Readable []string

	// StartTimeout is how long a child may take until it is ready. Default 30 s.
	StartTimeout time.Duration

	// Env is added to the environment variables that children inherit, as "NAME=value".
	Env []string

	// Log gets a line for every child that was killed or ended by itself. Default: nothing is logged.
	Log *slog.Logger
}

// Libraries is a set of libraries that few images need, one in each bit. The program decides what the bits mean. A
// child loads libraries only before it enters its sandbox, so it has those that any image has needed so far. For an
// image that needs another one, an idle child is replaced.
type Libraries uint8

// has reports whether all of need are in l.
func (l Libraries) has(need Libraries) bool { return need&^l == 0 }

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
	if c.Libraries == nil {
		c.Libraries = func(context.Context, []byte, recipe.Recipe) Libraries { return 0 }
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
