package farm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// CutTimeout is how long a role may take to end after it was cut.
const CutTimeout = 3 * time.Second

// StuckError says that a role was left behind, because it had not ended CutTimeout after it was cut. It still runs:
// what it uses must not be closed, and the process should end.
type StuckError struct {
	Role  string
	Cause error // why it was cut
}

func (e *StuckError) Error() string {
	return fmt.Sprintf("the %s has not ended %v after it was cut: its disk may not answer", e.Role, CutTimeout)
}

// Unwrap returns why the role was cut.
func (e *StuckError) Unwrap() error { return e.Cause }

// RunRole calls a role's run and returns its error. When run has not returned CutTimeout after ctx ended, RunRole
// returns a
// *StuckError and leaves it behind: a system call on a disk that does not answer cannot be cancelled.
func RunRole(ctx context.Context, role string, run func(context.Context) error) error {
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(CutTimeout)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
		return &StuckError{Role: role, Cause: context.Cause(ctx)}
	}
}

// RunVentilator is RunRole of a ventilator. Without its counts, which it keeps if it is left behind, the run is empty.
func RunVentilator(ctx context.Context, v *ventilator.Ventilator) (wire.Run, error) {
	counts := make(chan wire.Run, 1)
	err := RunRole(ctx, "ventilator", func(ctx context.Context) error {
		run, err := v.Run(ctx)
		counts <- run
		return err
	})
	select {
	case run := <-counts:
		return run, err
	default:
		return wire.Run{}, err
	}
}

// stuck returns err if it says that a role was left behind.
func stuck(err error) error {
	var s *StuckError
	if errors.As(err, &s) {
		return s
	}
	return nil
}
