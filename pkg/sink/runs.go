package sink

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// runTimeout is how long the ventilator of a run may be silent before the run counts as interrupted.
const runTimeout = 15 * time.Second

// abandonedAfter is how long after the connection of its ventilator ended a run may be continued by another process of
// the same account: of the same machine or certificate. A ventilator that is alive connects and reports again within a
// second.
const abandonedAfter = 3 * time.Second

// maxRuns bounds the runs in memory. The ledger holds those that have ended.
const maxRuns = 64

// A sink admits runs that it does not know at newRunsPerSecond, and maxNewRuns at once. Each new run is a record in the
// ledger, and anyone who reaches the control endpoint can invent runs.
const (
	maxNewRuns       = 64
	newRunsPerSecond = 2
)

// An address or certificate has at most three quarters of the live and of the new runs.
const (
	maxRunsOfOne    = maxRuns - maxRuns/4
	maxNewRunsOfOne = maxNewRuns - maxNewRuns/4
	newRunsOfOne    = newRunsPerSecond * .75 // a second
	maxCallers      = 256                    // whose new runs are counted
)

// liveRun is a run whose ventilator calls the sink.
type liveRun struct {
	wire.Run
	called   time.Time // when its ventilator called last
	recorded time.Time // when its record was last written to the ledger
	keys     keyring
	from     caller
	alone    time.Time        // when its ventilator's connection was first seen to have ended; zero: it has not
	since    time.Time        // when the sink first heard of it; zero: it began before the sink did
	settled  int64            // tasks that this sink has settled since the ventilator began
	silent   bool             // it counts as ended because its ventilator was silent for too long
	want     outcome.RunState // what an operator asks for: running, paused or cancelled
}

// caller is who reports a run.
type caller struct {
	account string          // to whom its limits are charged; empty: one on this machine
	gone    <-chan struct{} // closed when its connection ends; nil: it is not known
}

// abandoned reports whether a run's ventilator has been gone for so long that another process of the account may
// continue the run.
func (r *liveRun) abandoned(account string, now time.Time) bool {
	return r.from.account == account && r.seenAlone(now) && now.Sub(r.alone) >= abandonedAfter
}

// seenAlone reports whether the connection of a run's ventilator has ended, and notes when that was first seen.
func (r *liveRun) seenAlone(now time.Time) bool {
	select {
	case <-r.from.gone:
		if r.alone.IsZero() {
			r.alone = now
		}
		return true
	default:
		return false
	}
}

// liveRuns holds the live runs and the last ended ones. Its methods may be called concurrently.
type liveRuns struct {
	mu        sync.Mutex
	byID      map[string]*liveRun
	newRuns   allowance
	newRunsOf map[string]*allowance // by account
}

// allowance is how many new runs may come now.
type allowance struct {
	left     float64
	refilled time.Time // when left was last increased; zero: never
}

func (a *allowance) refill(most, perSecond float64, now time.Time) {
	if !a.refilled.IsZero() {
		a.left = min(most, a.left+max(0, now.Sub(a.refilled).Seconds())*perSecond)
	}
	a.refilled = now
}

func newLiveRuns() *liveRuns {
	return &liveRuns{byID: make(map[string]*liveRun), newRuns: allowance{left: maxNewRuns},
		newRunsOf: make(map[string]*allowance)}
}

// admit returns an error when the sink has no room for a run that it does not know, or none for more runs of the
// caller's account. An empty account has no share, only what there is.
func (l *liveRuns) admit(run *wire.Run, from caller, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byID[run.ID]; r != nil && (r.Started.Equal(run.Started) || r.Ended.IsZero()) {
		return nil
	}
	if l.byID[run.ID] == nil && len(l.byID) >= maxRuns && l.oldestEnded() == "" {
		return fmt.Errorf("run %.40q: %d runs are live already; wait until one has ended", run.ID, maxRuns)
	}
	own := l.ownAllowance(from.account, now)
	if live := l.liveOf(from.account); from.account != "" && live >= maxRunsOfOne {
		return fmt.Errorf("run %.40q: %d runs of %s are live already; wait until one has ended",
			run.ID, live, from.account)
	}
	l.newRuns.refill(maxNewRuns, newRunsPerSecond, now)
	if l.newRuns.left < 1 || own.left < 1 {
		return fmt.Errorf("run %.40q: too many new runs at once; try again in a second", run.ID)
	}
	l.newRuns.left--
	own.left--
	return nil
}

// ownAllowance returns how many new runs an account may begin now. The caller holds the mutex.
func (l *liveRuns) ownAllowance(account string, now time.Time) *allowance {
	if account == "" {
		return &allowance{left: maxNewRuns}
	}
	own := l.newRunsOf[account]
	if own == nil {
		if len(l.newRunsOf) == maxCallers {
			clear(l.newRunsOf)
		}
		own = &allowance{left: maxNewRunsOfOne}
		l.newRunsOf[account] = own
	}
	own.refill(maxNewRunsOfOne, newRunsOfOne, now)
	return own
}

// liveOf returns how many live runs an account has. The caller holds the mutex.
func (l *liveRuns) liveOf(account string) (n int) {
	for _, r := range l.byID {
		if r.from.account == account && r.Ended.IsZero() {
			n++
		}
	}
	return n
}

// oldestEnded returns the ended run whose ventilator called least recently; empty if all runs are live. The caller
// holds the mutex.
func (l *liveRuns) oldestEnded() (oldest string) {
	for id, r := range l.byID {
		if !r.Ended.IsZero() && (oldest == "" || r.called.Before(l.byID[oldest].called)) {
			oldest = id
		}
	}
	return oldest
}

// ended reports whether the ventilator of this run has reported its end already. That stands: neither a late report nor
// another caller's makes the run live again.
func (l *liveRuns) ended(run *wire.Run) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run.ID]
	return r != nil && !r.Ended.IsZero() && !r.silent && r.Started.Equal(run.Started)
}

func sortNewestFirst(runs []wire.Run) {
	slices.SortFunc(runs, func(a, b wire.Run) int { return b.Started.Compare(a.Started) })
}

// update notes a ventilator's counts. It returns what an operator asks of the run and the topics of the events to
// publish. started reports that the run was unknown or has another start time, so its deliveries are counted from 1
// again.
func (l *liveRuns) update(
	run wire.Run, from caller, now time.Time,
) (want outcome.RunState, topics []string, started bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run.ID]
	started = r == nil || !r.Started.Equal(run.Started)
	if r == nil || !r.Ended.IsZero() && !r.Started.Equal(run.Started) { // a new run, or another of the same name
		r = &liveRun{want: outcome.Running, since: now}
		if run.State == outcome.Paused { // it was paused before this sink was restarted
			r.want = run.State
		}
		delete(l.byID, run.ID)
		l.forgetOldest()
		l.byID[run.ID] = r
		topics = append(topics, wire.TopicRunStarted)
	}
	if started {
		r.settled = 0
	}
	announced := !r.Ended.IsZero() && !r.silent
	r.Run, r.called, r.silent = run, now, false
	r.from, r.alone = from, time.Time{}
	switch {
	case run.Ended.IsZero():
		topics = append(topics, wire.TopicRunProgress)
	case !announced:
		topics = append(topics, wire.TopicRunFinished)
	}
	return r.want, topics, started
}

// recordEvery is how old the record of a live run may become. If the run is killed together with the sink, its
// record has the last known counts.
const recordEvery = 10 * time.Second

// recordDue reports whether the record of a run is to be written now, and notes that it was.
func (l *liveRuns) recordDue(run *wire.Run, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run.ID]
	if r == nil || run.Ended.IsZero() && now.Sub(r.recorded) < recordEvery {
		return false
	}
	r.recorded = now
	return true
}

// restoreLast lists the newest run of the ledger, if it has ended, so that a restarted sink shows how it ended.
func (l *liveRuns) restoreLast(runs []wire.Run) {
	if len(runs) == 0 || runs[0].Ended.IsZero() {
		return
	}
	last := runs[0]
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byID[last.ID] = &liveRun{Run: last, called: last.Ended, silent: last.State == outcome.Interrupted,
		want: outcome.Running}
}

// forgetOldest forgets ended runs until there is room for another; it keeps all live runs. The caller holds the mutex.
func (l *liveRuns) forgetOldest() {
	for len(l.byID) >= maxRuns {
		oldest := l.oldestEnded()
		if oldest == "" {
			return
		}
		delete(l.byID, oldest)
	}
}

// interrupt ends a run with the last call of its ventilator.
func (r *liveRun) interrupt() wire.Run {
	r.State, r.Ended, r.Waiting, r.silent = outcome.Interrupted, r.called, "", true
	return r.Run
}

// interruptSilent ends the runs whose ventilators were silent for too long, and returns them.
func (l *liveRuns) interruptSilent(now time.Time) (runs []wire.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.byID {
		r.seenAlone(now)
		if r.Ended.IsZero() && now.Sub(r.called) > runTimeout {
			runs = append(runs, r.interrupt())
		}
	}
	return runs
}

// interruptAbandoned ends a live run whose ventilator has been gone for so long that another process of the account may
// begin it again, and returns the run. ok is false for any other run.
func (l *liveRuns) interruptAbandoned(run, account string, now time.Time) (ended wire.Run, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run]
	if r == nil || !r.Ended.IsZero() || !r.abandoned(account, now) {
		return wire.Run{}, false
	}
	return r.interrupt(), true
}

// correct replaces the counts of a run that was interrupted.
func (l *liveRuns) correct(run *wire.Run) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byID[run.ID]; r != nil && r.silent {
		r.Run = *run
	}
}

// steer notes what an operator asks of a run, or of all live ones when want names none. It returns the runs it
// concerns.
func (l *liveRuns) steer(want wire.Steering) (steered []wire.Steering) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, r := range l.byID {
		if (want.Run == "" || want.Run == id) && r.Ended.IsZero() {
			r.want = want.State
			steered = append(steered, wire.Steering{Run: id, State: want.State})
		}
	}
	return steered
}

// anyLive reports whether a run is live.
func (l *liveRuns) anyLive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.byID {
		if r.Ended.IsZero() {
			return true
		}
	}
	return false
}

// list returns the runs in memory, newest first.
func (l *liveRuns) list() []wire.Run {
	l.mu.Lock()
	defer l.mu.Unlock()
	runs := make([]wire.Run, 0, len(l.byID))
	for _, r := range l.byID {
		runs = append(runs, r.Run)
	}
	sortNewestFirst(runs)
	return runs
}
