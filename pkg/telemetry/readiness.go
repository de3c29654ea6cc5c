package telemetry

import (
	"errors"
	"sync/atomic"
)

// Readiness holds why a role is not ready. The zero value says that it has not started. All methods are safe for
// concurrent use.
type Readiness struct {
	why atomic.Pointer[string] // nil: not started; empty: ready
}

// Ready says that the role can do its work.
func (r *Readiness) Ready() { r.NotReady("") }

// NotReady says why the role cannot do its work.
func (r *Readiness) NotReady(why string) { r.why.Store(&why) }

// Err returns nil when the role is ready, otherwise an error that says why not.
func (r *Readiness) Err() error {
	switch why := r.why.Load(); {
	case why == nil:
		return errors.New("not started")
	case *why == "":
		return nil
	default:
		return errors.New(*why)
	}
}
