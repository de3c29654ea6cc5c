// Package noop is an engine that makes nothing, to measure the farm around the engines.
package noop

import (
	"context"

	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
)

// Engine looks at an image's first bytes and makes no outputs.
type Engine struct{}

var _ engine.Engine = Engine{}

// Name implements engine.Engine.
func (Engine) Name() string { return "noop" }

// Transform implements engine.Engine.
func (Engine) Transform(_ context.Context, data []byte, _ recipe.Recipe) (*engine.Result, error) {
	f := format.Detect(data)
	if f == "" {
		return nil, outcome.Reject(outcome.NotAnImage, "the first bytes belong to no known format")
	}
	return &engine.Result{Format: f}, nil
}
