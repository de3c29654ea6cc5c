package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// signalled is the cause of a context that a signal cancelled.
type signalled struct{ sig os.Signal }

func (s signalled) Error() string {
	if s.sig == syscall.SIGTERM {
		return "ended by SIGTERM"
	}
	return "ended by SIGINT"
}

func (s signalled) code() int {
	if s.sig == syscall.SIGTERM {
		return ExitTerminate
	}
	return ExitInterrupt
}

// signals calls drain at the first SIGINT or SIGTERM. At the second, or when the drain takes longer than limit (0: no
// limit), it cancels the context, with the signal as the cause. first returns the first signal, or nil.
func signals(
	ctx context.Context,
	log *slog.Logger,
	limit time.Duration,
	drain func(),
) (_ context.Context, first func() os.Signal, stop func()) {
	ctx, cut := context.WithCancelCause(ctx)
	incoming := make(chan os.Signal, 2)
	got := make(chan os.Signal, 1)
	signal.Notify(incoming, os.Interrupt, syscall.SIGTERM)
	go func() {
		var sig os.Signal
		select {
		case sig = <-incoming:
			got <- sig
			log.Warn("draining: finishing the images at work; a second signal ends at once", "signal", sig.String())
			drain()
		case <-ctx.Done():
			return
		}
		var late <-chan time.Time
		if limit > 0 {
			timer := time.NewTimer(limit)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case sig := <-incoming:
			cut(signalled{sig})
		case <-late:
			log.Error("ending: the drain takes too long", "waited", limit)
			cut(signalled{sig})
		case <-ctx.Done():
		}
	}()
	first = func() os.Signal {
		select {
		case sig := <-got:
			return sig
		default:
			return nil
		}
	}
	return ctx, first, func() { signal.Stop(incoming); cut(nil) }
}
