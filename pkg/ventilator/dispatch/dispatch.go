// Package dispatch decides which peer gets which task, when a task is delivered again, and when it is dead.
//
// It is a state machine: it does no I/O, starts no goroutine, reads no clock and draws no random number. The caller
// passes in the time, and jitter through Config. So its rules can be tested exactly. The cost of a task does not depend
// on the number of pending or settled tasks. It grows with the logarithm of the number of peers.
//
// Each file holds one set of rules: read.go what is read next, assign.go which peer gets a task, redelivery.go when a
// task is delivered again and when it is dead, settle.go how a task ends, trust.go which peers may be sent tasks,
// stranger.go what results of strangers settle, restart.go what the end of a sink means.
package dispatch

import (
	"iter"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Dispatcher holds the unsettled tasks and the connected peers of a run. It is not safe for concurrent use: one
// goroutine owns it.
type Dispatcher struct {
	cfg Config

	tasks        map[taskid.ID]*Task // all unsettled
	added        fifo[*Task]         // due, never read
	redeliveries fifo[*Task]         // due again, to be read before the added ones
	ready        fifo[*Task]         // read
	deadlines    deadlineHeap        // leased or backing off

	peers     map[PeerID]*peer
	available peerHeap // the peers that can take a task
	slots     int      // of all peers
	given     uint64   // tasks given to peers so far
	suspects  int      // peers that are suspect

	awaitedOutputs  map[string]*Task // outputs that strangers are to make
	eventsConnected bool             // results of strangers reach this run

	bytesInFlight int64 // being read, ready, or not yet handed to a connection
	unknownSize   int64 // what an image of unknown size counts while it is read
	knowsUnknown  bool  // one was read
	counts        wire.Run
	allAdded      bool // FinishAdding or Drain was called
	draining      bool // Drain was called
}

// New returns a dispatcher without tasks and peers. cfg must be valid.
func New(cfg Config) *Dispatcher {
	cfg = cfg.withDefaults()
	return &Dispatcher{
		cfg:            cfg,
		unknownSize:    cfg.MaxInflightBytes,
		tasks:          make(map[taskid.ID]*Task),
		peers:          make(map[PeerID]*peer),
		awaitedOutputs: make(map[string]*Task),
	}
}

// Add takes a found image that is not settled, and returns its task. A second image with the same id, such as a file
// that is listed twice, belongs to the same task and is not counted again.
func (d *Dispatcher) Add(im Image, id taskid.ID, now time.Time) *Task {
	if t, ok := d.tasks[id]; ok {
		return t
	}
	t := &Task{Image: im, ID: id, Found: now, deadlineIndex: -1}
	d.tasks[id] = t
	d.added.push(t)
	d.counts.Found++
	return t
}

// AddEarlier counts an image that the ledger settled before this run.
func (d *Dispatcher) AddEarlier(r *wire.Receipt) {
	d.counts.Found++
	d.counts.Earlier++
	if r.Acknowledged {
		d.counts.Acknowledged++
	}
	d.counts.Count(EarlierOutcome(r))
}

// EarlierOutcome returns the outcome in this run of an image that the ledger settled before. A done image is skipped; a
// rejected image stays rejected, because only an operator retries it.
func EarlierOutcome(r *wire.Receipt) outcome.Outcome {
	if r.Outcome == outcome.Done {
		return outcome.Skipped
	}
	return r.Outcome
}

// FinishAdding says that no task will be added any more.
func (d *Dispatcher) FinishAdding() { d.allAdded = true }

// AllAdded reports whether FinishAdding or Drain was called.
func (d *Dispatcher) AllAdded() bool { return d.allAdded }

// Finished reports whether every task is settled and none will be added.
func (d *Dispatcher) Finished() bool { return d.allAdded && len(d.tasks) == 0 }

// Task returns the unsettled task with this id, or nil.
func (d *Dispatcher) Task(id taskid.ID) *Task { return d.tasks[id] }

// Unsettled returns how many tasks are unsettled.
func (d *Dispatcher) Unsettled() int { return len(d.tasks) }

// All iterates over the unsettled tasks, in no order.
func (d *Dispatcher) All() iter.Seq[*Task] {
	return func(yield func(*Task) bool) {
		for _, t := range d.tasks {
			if !yield(t) {
				return
			}
		}
	}
}

// queued returns how many tasks wait to be read or to be sent. Settled ones among them are still counted.
func (d *Dispatcher) queued() int { return d.added.len() + d.redeliveries.len() + d.ready.len() }

// Added returns how many added tasks were not read yet.
func (d *Dispatcher) Added() int { return d.added.len() }

// Due returns how many tasks wait to be read.
func (d *Dispatcher) Due() int { return d.added.len() + d.redeliveries.len() }

// Ready returns how many read tasks wait for a peer.
func (d *Dispatcher) Ready() int { return d.ready.len() }

// Leased returns how many tasks workers hold.
func (d *Dispatcher) Leased() int64 { return d.counts.Leased }

// BytesInFlight returns how many bytes are being read, ready, or not yet handed to a worker's connection.
func (d *Dispatcher) BytesInFlight() int64 { return d.bytesInFlight }

// Counts returns the counts of the run; the fields that name and describe the run are zero.
func (d *Dispatcher) Counts() wire.Run {
	run := d.counts
	run.Peers = len(d.peers)
	run.Pending = int64(len(d.tasks)) - run.Leased
	return run
}

// NextDeadline returns when AdvanceTime must be called next; ok is false when no lease or backoff runs.
func (d *Dispatcher) NextDeadline() (at time.Time, ok bool) {
	if len(d.deadlines) == 0 {
		return time.Time{}, false
	}
	return d.deadlines[0].deadline, true
}

// UnsettledSince returns the ids of at most limit tasks whose newest delivery is at least age old. Their receipts may
// have been lost, so the sink is to be asked about them. Those whose deadlines end first come roughly first.
func (d *Dispatcher) UnsettledSince(age time.Duration, now time.Time, limit int) []taskid.ID {
	var ids []taskid.ID
	for _, t := range d.deadlines {
		if t.deliveries > 0 && now.Sub(t.sent) >= age {
			if ids = append(ids, t.ID); len(ids) == limit {
				break
			}
		}
	}
	return ids
}
