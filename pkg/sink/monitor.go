package sink

import (
	"context"
	"time"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// monitor does the sink's periodic work once a second until ctx ends. It publishes the throughput, logs trouble that
// came or went, drops silent workers, and interrupts the runs of silent ventilators.
func (c *core) monitor(ctx context.Context) {
	logged := "" // the trouble that the log told last
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		t := c.state.throughput(now)
		c.publish(wire.TopicThroughput, &t)
		logged = c.logTrouble(logged)
		for _, name := range c.state.dropSilent(c.cfg.WorkerTimeout, now) {
			c.workerLost(name, "no sign of life")
		}
		for _, run := range c.runs.interruptSilent(now) {
			c.interrupted(run)
			c.sealWhenIdle()
		}
	}
}

// logTrouble logs when the reason why the sink cannot work has changed, and returns the present one.
func (c *core) logTrouble(before string) string {
	trouble, _ := c.trouble()
	switch {
	case trouble == before:
	case trouble == "":
		c.log.Info("can write results again")
	default:
		c.log.Error("cannot write results; trying again", "why", trouble)
	}
	return trouble
}

// interrupted records and publishes the end of a run whose ventilator is silent, and frees what the run has reserved.
// The ledger knows what the run settled since the ventilator's last call.
func (c *core) interrupted(run wire.Run) {
	c.reserved.end(run.ID)
	if err := c.reader().countSettled(&run); err != nil {
		c.peerLog.Error("cannot count the entries of a run", "run", run.ID, "error", err)
	} else {
		c.runs.correct(&run)
	}
	c.peerLog.Warn("run interrupted: its ventilator is silent", "run", run.ID, "unsettled", run.Unsettled())
	c.recordRun(run)
	c.publish(wire.TopicRunFinished, &run)
}
