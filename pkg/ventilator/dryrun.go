package ventilator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// dryRun reports for each image what a run would do with it.
func (v *Ventilator) dryRun(ctx context.Context, started time.Time, look survey) (wire.Run, error) {
	run := wire.Run{ID: v.cfg.Run, State: "dry run", Started: started, Total: look.Images}
	if !v.withoutSink() {
		var err error
		if v.walkClient, err = sinkclient.Dial(v.cfg.Network, v.cfg.Control); err != nil {
			return run, err
		}
		defer v.walkClient.Close()
	}
	batches := make(chan []candidate)
	until, done := v.untilDrain(ctx)
	defer done()
	group, gctx := errgroup.WithContext(until)
	group.Go(func() error {
		defer close(batches)
		return v.feed(gctx, batches)
	})
	group.Go(func() error {
		for batch := range batches {
			for _, c := range batch {
				run.Found++
				if c.earlier != nil {
					run.Count(dispatch.EarlierOutcome(c.earlier))
				}
				v.cfg.Report(dryLine(c, v.cfg.Recipe.OutputNames(c.Name), v.cfg.MaxMessage))
			}
		}
		return nil
	})
	err := group.Wait()
	run.Pending = run.Unsettled()
	if errors.Is(err, errDrained) {
		err = nil
	}
	return run, err
}

// dryLine says in tab-separated fields what a run would do with c.
func dryLine(c candidate, outputs []string, limit int64) string {
	switch {
	case c.earlier == nil && c.Size > limit:
		return fmt.Sprintf("reject\t%s\t%d bytes are beyond the limit of %d", c.Name, c.Size, limit)
	case c.earlier == nil:
		return fmt.Sprintf("make\t%s\t%d outputs, the first %s", c.Name, len(outputs), outputs[0])
	}
	return fmt.Sprintf("%s\t%s\tsince %s", dispatch.EarlierOutcome(c.earlier), c.Name, c.earlier.At.Format(time.DateTime))
}
