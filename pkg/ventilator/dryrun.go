package ventilator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/source"
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
	until, stop := context.WithCancel(until)
	defer stop()
	var reporting sync.Mutex
	var unread error // why no more lines are reported
	report := func(line string) {
		reporting.Lock()
		defer reporting.Unlock()
		if unread != nil {
			return
		}
		if unread = v.cfg.Report(line); unread != nil {
			stop()
		}
	}
	group, gctx := errgroup.WithContext(until)
	group.Go(func() error {
		defer close(batches)
		return v.findImages(gctx, batches, func(o source.Omission) {
			v.omit(o)
			report(fmt.Sprintf("leave out\t%s\t%s", printable(o.Location), o.Kind))
		})
	})
	group.Go(func() error {
		for batch := range batches {
			for _, c := range batch {
				run.Found++
				if c.earlier != nil {
					run.Count(dispatch.EarlierOutcome(c.earlier))
				}
				report(v.dryLine(&c))
			}
		}
		return nil
	})
	err := group.Wait()
	run.Pending = run.Unsettled()
	if unread != nil {
		return run, unread
	}
	if errors.Is(err, errDrained) {
		return run, nil
	}
	if err == nil && run.Found == 0 && !look.Others {
		err = v.refuseEmpty(ctx)
	}
	return run, err
}

// dryLine says in tab-separated fields what a run would do with c.
func (v *Ventilator) dryLine(c *candidate) string {
	if c.earlier != nil {
		return fmt.Sprintf("%s\t%s\tsince %s", dispatch.EarlierOutcome(c.earlier), c.Name, c.earlier.At.Format(time.DateTime))
	}
	if why := v.refusal(&c.image); why != nil {
		return fmt.Sprintf("reject\t%s\t%s", c.Name, why.Detail)
	}
	what := v.naming.variants(c.Name)
	if only, err := what.Only(c.only); err == nil && len(c.only) > 0 {
		what = only
	}
	outputs := what.OutputNames(c.Name)
	return fmt.Sprintf("make\t%s\t%s, the first %s", c.Name, numfmt.Counted(len(outputs), "output"), outputs[0])
}
