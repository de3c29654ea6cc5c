package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/noop"
	"github.com/imagefarm/imagefarm/pkg/engine/pipeline"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/worker"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

func engineFlags() []cli.Flag {
	return []cli.Flag{
		text(whatToMake, "engine", engines()[0], "`NAME` of the transform engine: "+strings.Join(engines(), ", ")),
		bytes(limits, "max-pixels", "250M", from[int64](1), "largest image in pixels: width × height × frames"),
		text(limits, "on-truncated", "reject", "`ACTION` for images that end too early: reject or accept"),
		&cli.BoolFlag{Category: limits, Name: "isolate", Value: true, Sources: env("isolate"),
			Usage: "transform in child processes that can be killed"},
		duration(limits, "task-timeout", time.Minute, from(time.Millisecond), "processor time of one transform; needs --isolate"),
		bytes(limits, "task-memory", "1GiB", from[int64](64<<20), "most memory of one transform; needs --isolate"),
		text(whatToMake, "assets", "", "`DIR` of the pictures that watermark operations name"),
	}
}

// settings is what an engine is opened with, in this process or in a child.
type settings struct {
	Limits engine.Limits
	Assets string
}

// engines lists the engines, the usual one first.
func engines() []string { return []string{"pipeline", "imaging", "noop"} }

// openEngine opens the engine that name names.
func openEngine(name string, encoded []byte) (engine.Engine, error) {
	var s settings
	if err := json.Unmarshal(encoded, &s); err != nil {
		return nil, fmt.Errorf("engine settings: %w", err)
	}
	switch name {
	case "noop":
		return noop.Engine{}, nil
	case "pipeline", "imaging":
		var assets fs.FS
		if s.Assets != "" {
			root, err := os.OpenRoot(s.Assets) // no name leads out of it
			if err != nil {
				return nil, fmt.Errorf("--assets: %w", err)
			}
			assets = root.FS()
		}
		if name == "imaging" { // the slow reference
			return imaging.New(imaging.Config{Limits: s.Limits, Assets: assets})
		}
		return pipeline.New(pipeline.Config{Limits: s.Limits, Assets: assets})
	}
	return nil, fmt.Errorf("engine %q: it is one of %v", name, engines())
}

// Child turns a process that was started to transform for another into that, and returns true when it is done. Mains call
// it first.
func Child() bool { return isolate.Main(openEngine) }

// runningEngine is an engine with what must run while it is used.
type runningEngine struct {
	engine.Engine
	run    func(context.Context) error // nil: nothing
	memory zsock.Memory                // nil: any
}

// isolated reports whether transforms run in children.
func (e *runningEngine) isolated() bool { return e.run != nil }

// with runs do with the engine working.
func (e *runningEngine) with(ctx context.Context, do func(context.Context) error) error {
	if e.run == nil {
		return do(ctx)
	}
	return beside(ctx, e.run, do)
}

// engineOf returns the engine that the flags ask for.
func engineOf(c *cli.Command, log *slog.Logger) (*runningEngine, error) {
	onTruncated := c.String("on-truncated")
	if onTruncated != "reject" && onTruncated != "accept" {
		return nil, usagef("--on-truncated %q: reject or accept", onTruncated)
	}
	name := c.String("engine")
	s, err := json.Marshal(settings{Assets: c.String("assets"), Limits: engine.Limits{
		MaxBytes: bytesOf(c, "max-message"), MaxPixels: bytesOf(c, "max-pixels"), OnTruncated: onTruncated,
	}})
	if err != nil {
		return nil, err
	}
	e, err := openEngine(name, s) // tried here, so that what is wrong with it is said at once
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	if !c.Bool("isolate") || name == "noop" { // which decodes nothing that could do harm
		return &runningEngine{Engine: e}, nil
	}
	children, err := isolate.New(isolate.Config{
		Engine: name, Settings: s, Slots: c.Int("slots"), Buffers: buffers(c), TaskTimeout: c.Duration("task-timeout"),
		TaskMemory: bytesOf(c, "task-memory"), MaxInput: bytesOf(c, "max-message"),
		MaxOutput: min(4*bytesOf(c, "max-message"), 4<<30), Log: log,
		Env: []string{native.Env + "=" + cmp.Or(os.Getenv(native.Env), native.Native)},
	})
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	return &runningEngine{Engine: children, run: children.Run, memory: children}, nil
}

// maxBuffers bounds the address space that buffers take: each may become as large as the largest image.
const maxBuffers = 256

// buffers is how many images may lie in the children's memory at once: those that a worker may hold, and two on their way
// in and out.
func buffers(c *cli.Command) int {
	held := c.Int("prefetch")
	if held <= 0 {
		held = worker.DefaultPrefetch(c.Int("slots"))
	}
	return min(held+2, maxBuffers)
}
