package cli

import (
	"context"
	"log/slog"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/engine/imaging"
	"github.com/urfave/cli/v3"
)

func engineFlags() []cli.Flag {
	return []cli.Flag{
		number(limits, "max-pixels", 250_000_000, "largest image, in pixels: width × height × frames"),
		text(limits, "on-truncated", "reject", "reject images that end too early, or accept what can be read of them"),
	}
}

// runningEngine is an engine with what must run while it is used.
type runningEngine struct {
	engine.Engine
}

// with runs do with the engine working.
func (e *runningEngine) with(ctx context.Context, do func(context.Context) error) error {
	return do(ctx)
}

// engineOf returns the engine that the flags ask for.
func engineOf(c *cli.Command, _ *slog.Logger) (*runningEngine, error) {
	onTruncated := c.String("on-truncated")
	if onTruncated != "reject" && onTruncated != "accept" {
		return nil, usagef("--on-truncated %q: reject or accept", onTruncated)
	}
	e, err := imaging.New(imaging.Config{Limits: engine.Limits{
		MaxBytes: bytesOf(c, "max-message"), MaxPixels: int64(c.Int("max-pixels")), OnTruncated: onTruncated,
	}})
	if err != nil {
		return nil, &exitError{ExitUsage, err}
	}
	return &runningEngine{Engine: e}, nil
}
