package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/native"
	"github.com/imagefarm/imagefarm/pkg/engine/noop"
	"github.com/imagefarm/imagefarm/pkg/engine/pipeline"
	"github.com/imagefarm/imagefarm/pkg/engine/reference"
	"github.com/imagefarm/imagefarm/pkg/engine/wasm"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/recipe"
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
		duration(
			limits,
			"task-timeout",
			time.Minute,
			from(time.Millisecond),
			"processor time of one transform; needs --isolate",
		),
		bytes(limits, "task-memory", "1GiB", from[int64](64<<20), "most memory of one transform; needs --isolate"),
		text(whatToMake, "assets", "", "read the pictures of watermarks from `DIR`"),
	}
}

// settings configure an engine, in this process or in a child.
type settings struct {
	Limits engine.Limits
	Assets string
}

// engines lists the engines, the default first.
func engines() []string { return []string{"pipeline", "imaging", "noop"} }

// openEngine opens an engine by name.
func openEngine(name string, encoded []byte) (engine.Engine, error) {
	var s settings
	if err := json.Unmarshal(encoded, &s); err != nil {
		return nil, fmt.Errorf("engine settings: %w", err)
	}
	switch name {
	case "noop":
		return noop.Engine{}, nil
	case "pipeline", "imaging":
		var files fs.FS
		if s.Assets != "" {
			read, err := readAssets(s.Assets)
			if err != nil {
				return nil, err
			}
			files = read
		}
		if name == "imaging" { // the slow reference
			return reference.New(reference.Config{Limits: s.Limits, Assets: files})
		}
		return pipeline.New(pipeline.Config{Limits: s.Limits, Assets: files})
	}
	return nil, fmt.Errorf("engine is %q: it must be one of %v", name, engines())
}

// Child runs a transforming child process, if this process was started as one, and returns true when it has ended.
// Mains call it first.
func Child() bool { return printOwnCodecs() || translateCodecs() || isolate.Main(openInChild) }

// The C libraries that take milliseconds to load: they calculate tables, and depend on many others. So a child loads
// them when an image needs them.
//
// The others are the codecs of standIns, which are used where a C library is not installed. A child loads their machine
// code, if a cache has it.
const (
	heifLibrary isolate.Libraries = 1 << iota
	dav1dLibrary
	jxlLibrary
	av1Decoder
	av1Encoder
	webpEncoder
)

// librariesFor returns the libraries that a child must have loaded before it can make r of image, and the codecs in
// WebAssembly that it uses where there is no library.
func librariesFor(image []byte, r recipe.Recipe) (need isolate.Libraries) {
	detected := format.Detect(image)
	switch detected {
	case format.HEIC:
		need |= heifLibrary
	case format.AVIF:
		need |= dav1dLibrary | av1Decoder
	case format.JXL:
		need |= jxlLibrary
	}
	for _, v := range r.Variants {
		switch v.OutputFormat("", detected) {
		case format.AVIF:
			need |= heifLibrary | av1Encoder
		case format.WebP:
			if needsWebPEncoder(detected, v) {
				need |= webpEncoder
			}
		}
	}
	return need
}

// needsWebPEncoder reports whether a variant may be one of the WebPs that the farm does not encode itself. The pixels
// are not known: only JPEGs, and raw files with their previews, are opaque for certain.
func needsWebPEncoder(detected string, v recipe.Variant) bool {
	opaque := (detected == format.JPEG || detected == format.RAW) &&
		!slices.ContainsFunc(v.Ops, func(o recipe.Op) bool { return o.Word == recipe.Pad && o.Color.A < 255 })
	return !opaque || !reference.WebPOptions(v.Coding, v.Quality).Own()
}

// openInChild opens an engine in a child, and loads the C libraries and the machine code that it may use: once the
// child is in its sandbox, it can open none. Without a library the engine uses another codec, and without machine code
// it translates that codec.
func openInChild(name string, encoded []byte, libraries isolate.Libraries) (engine.Engine, error) {
	_, _ = native.LibWebP()
	if libraries&heifLibrary != 0 {
		_, _ = native.LibHEIF()
	}
	if libraries&dav1dLibrary != 0 {
		_, _ = native.LibDav1d()
	}
	if libraries&jxlLibrary != 0 {
		_, _ = native.LibJXL()
	}
	for _, s := range findStandIns(libraries) {
		_ = s.module.Load()
	}
	return openEngine(name, encoded)
}

// codecsEnv is the environment variable by which children load C libraries, unless the user wants them not to.
func codecsEnv() string { return native.Env + "=" + cmp.Or(os.Getenv(native.Env), native.Native) }

// runningEngine is an engine with the service that it needs.
type runningEngine struct {
	engine.Engine
	run    func(context.Context) error // nil: none
	memory zsock.Memory                // nil: ordinary memory
}

// isolated reports whether transforms run in child processes.
func (e *runningEngine) isolated() bool { return e.run != nil }

// with calls do while the engine's service runs.
func (e *runningEngine) with(ctx context.Context, do func(context.Context) error) error {
	if e.run == nil {
		return do(ctx)
	}
	return beside(ctx, e.run, do)
}

// engineOf returns the engine of --engine.
func engineOf(c *cli.Command, log *slog.Logger) (*runningEngine, error) {
	onTruncated := c.String("on-truncated")
	if onTruncated != "reject" && onTruncated != "accept" {
		return nil, usagef("--on-truncated is %q: it must be reject or accept", onTruncated)
	}
	name := c.String("engine")
	s, err := json.Marshal(settings{Assets: c.String("assets"), Limits: engine.Limits{
		MaxBytes: bytesOf(c, "max-message"), MaxPixels: bytesOf(c, "max-pixels"), OnTruncated: onTruncated,
	}})
	if err != nil {
		return nil, err
	}
	e, err := openEngine(name, s) // opened here, too, to report a wrong flag at once
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	if !c.Bool("isolate") || name == "noop" { // noop decodes nothing, so it cannot crash
		return &runningEngine{Engine: e}, useCodeCache(log)
	}
	pictures, err := librariesForAssets(c.String("assets"))
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	t := newTranslator(log)
	cache := string(t.cache)
	children, err := isolate.New(isolate.Config{
		Engine: name, Settings: s,
		Libraries: func(ctx context.Context, image []byte, r recipe.Recipe) isolate.Libraries {
			need := pictures | librariesFor(image, r)
			return need&^sandboxed | t.awaitCodecs(ctx, need&sandboxed)
		},
		Slots: c.Int("slots"), Buffers: buffers(c), TaskTimeout: c.Duration("task-timeout"),
		TaskMemory: bytesOf(c, "task-memory"), MaxInput: bytesOf(c, "max-message"),
		MaxOutput: min(4*bytesOf(c, "max-message"), 4<<30), Log: log,
		Env: []string{codecsEnv(), wasm.Env + "=" + cache}, Readable: nonEmpty(c.String("assets"), cache),
	})
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	run := func(ctx context.Context) error {
		defer t.close()
		_ = t.makeCache() // now, because the children's sandbox opens it; runTranslator returns the error
		return children.Run(ctx)
	}
	return &runningEngine{Engine: children, run: run, memory: children}, nil
}

// librariesForAssets returns the libraries that a child needs for the pictures of watermarks.
func librariesForAssets(dir string) (need isolate.Libraries, err error) {
	if dir == "" {
		return 0, nil
	}
	files, err := readAssets(dir)
	for _, picture := range files {
		need |= librariesFor(picture, recipe.Recipe{})
	}
	return need, err
}

// nonEmpty returns the texts that are not empty.
func nonEmpty(all ...string) []string {
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// maxBuffers bounds the address space of buffers. Each may grow to the size of the largest image.
const maxBuffers = 256

// buffers returns the number of images in memory shared with children: those that a worker may hold, and two in
// transit.
func buffers(c *cli.Command) int {
	held := c.Int("prefetch")
	if held <= 0 {
		held = worker.DefaultPrefetch(c.Int("slots"))
	}
	return min(held+2, maxBuffers)
}
