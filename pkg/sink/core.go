package sink

import (
	"context"
	"encoding/hex"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/diskfault"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// core is what the stages of a sink share.
type core struct {
	publisher
	cfg      Config
	log      *slog.Logger
	peerLog  *slog.Logger // for what any peer can cause, as often as it likes
	metrics  *metrics
	state    *state
	disk     *disk
	runs     *liveRuns
	failures failures
	claims   claims
	reserved reservations
	losses   atomic.Int64 // how often the store lost what had been written since its last flush
	refusals zsock.RefusalLog
	sealing  chan struct{} // asks the committer to publish the open shard
	instance string        // differs from start to start
}

// Status returns the sink's view of the farm.
func (c *core) Status() *wire.Status {
	now := time.Now()
	status := c.state.snapshot(now)
	status.Runs = c.runs.list()
	status.Trouble, status.TroubleKind = c.disk.trouble(now)
	if security := c.cfg.Network.Security; security != nil {
		status.CertificateExpires = security.Expires()
	}
	if totals, err := c.cfg.Ledger.Totals(); err == nil { // those who read or add entries report a damaged ledger
		status.Settled = uint64(totals.Settled())
	}
	return status
}

// trouble returns why the sink cannot work, and the kind of that fault; both are empty while it can.
func (c *core) trouble() (string, diskfault.Kind) { return c.disk.trouble(time.Now()) }

// retryDisk repeats a call of the disk while the store is unavailable. Meanwhile the sink is not ready.
func (c *core) retryDisk(ctx context.Context, what string, call func() error) error {
	pending := c.disk.begin(what, time.Now())
	defer c.disk.end(pending)
	return blob.Insist(ctx, call, func(err error) { c.disk.failed(pending, err) })
}

// reader answers questions about the ledger.
func (c *core) reader() Reader { return Reader{Ledger: c.cfg.Ledger} }

// recordRun writes a run's record to the ledger.
func (c *core) recordRun(run wire.Run) {
	record := runRecord(&run)
	if run.Ended.IsZero() {
		key, _ := c.runs.owner(run.ID, time.Now())
		record.TicketKey = hex.EncodeToString(key)
	}
	if err := c.cfg.Ledger.PutRun(record); err != nil {
		c.peerLog.Error("cannot write a run's record to the ledger", "run", run.ID, "error", err)
	}
}
