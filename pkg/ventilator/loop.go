package ventilator

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// loop is the one goroutine that owns the dispatcher. Everything that happens in a run comes to it as a message.
type loop struct {
	v     *Ventilator
	about wire.Run // names and describes the run; its counts are zero
	d     *dispatch.Dispatcher

	feed      chan []candidate
	reads     chan readOrder
	readDone  chan readDone
	events    chan event
	questions chan question
	answers   chan answer

	stopFeed   func()
	backlog    []candidate    // found, not yet added
	asking     bool           // a question is under way
	urgent     bool           // ask as soon as may be
	urgentIDs  []taskid.ID    // and about these in particular
	settle     []wire.Receipt // to be said to the sink
	next       *dispatch.Task // the next to be read, taken from the dispatcher
	lastAudit  time.Time
	lastChange time.Time // of the settled count
	lastPeer   time.Time // when a peer was last there
	sinkIs     string    // the instance of the sink that answered last; empty: unknown
	sinkGone   string    // what keeps the sink from answering; empty: nothing
	sinkStuck  string    // what keeps the sink from its work; empty: nothing
	lastStuck  time.Time // when one of these was last so
	steered    string
	expected   int       // workers that the sink knows; −1: it has not said yet
	started    time.Time // when workers could first connect
	work       stopwatch
	draining   bool
	ended      bool
}

// addAhead bounds how many due tasks the dispatcher holds unread: enough that readers never wait for the walk.
const addAhead = 1024

// tick is how often counts are shown.
const tick = 200 * time.Millisecond

func (v *Ventilator) newLoop(started time.Time, look survey) *loop {
	now := time.Now() // no worker could connect, and nothing be settled, while the images were counted
	l := &loop{
		v: v,
		about: wire.Run{
			ID: v.cfg.Run, Started: started, Total: look.Images, Inputs: v.cfg.Inputs, Recipe: v.cfg.Recipe.String(), Host: v.cfg.Host,
		},
		feed: make(chan []candidate, 1), reads: make(chan readOrder), readDone: make(chan readDone, v.cfg.Readers),
		events: make(chan event, 256), questions: make(chan question, 1), answers: make(chan answer, 1),
		lastChange: now, lastPeer: now, started: now, steered: "running", expected: -1,
	}
	cfg := v.cfg.Dispatch
	cfg.WithoutSink, cfg.OutputNames, cfg.Jitter = v.cfg.Control == NoSink, v.cfg.Recipe.OutputNames, jitter
	cfg.OnDead = func(t *dispatch.Task) { l.say(receiptOf(t, v.cfg.Run, outcome.Dead, time.Now())) }
	l.d = dispatch.New(cfg)
	return l
}

// run returns nil when every found task is settled and none is left to find.
func (l *loop) run(ctx context.Context) error {
	defer func() { l.work.set(false, time.Now()) }()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	drain := l.v.drain
	for !l.d.Finished() {
		l.sendReady()
		if at, ok := l.d.NextDeadline(); ok {
			alarm.Reset(time.Until(at))
		}
		feed := l.feed
		if len(l.backlog) > 0 || l.d.AllAdded() {
			feed = nil
		}
		reads, order := l.nextRead()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-drain:
			drain = nil
			l.startDrain()
		case batch, ok := <-feed:
			if !ok {
				l.d.FinishAdding()
				break
			}
			l.backlog = batch
			l.addBacklog()
		case reads <- order:
			l.next = nil
		case done := <-l.readDone:
			l.wasRead(done)
		case <-l.v.peerEvents.ready:
			l.peersChanged()
		case <-l.v.handed.ready:
			l.handedOver()
		case <-l.v.sinkUp.ready:
			l.sinkIsUp()
		case ev := <-l.events:
			l.take(ev)
		case a := <-l.answers:
			l.answered(a)
		case <-alarm.C:
			l.ring(time.Now())
		case <-ticker.C:
			if err := l.tick(time.Now()); err != nil {
				return err
			}
		}
		l.addBacklog()
		now := time.Now()
		l.watch(now)
		l.ask(now)
	}
	l.hearOut(ctx)
	return nil
}

// hearOut waits for the answer that is under way: to give it up costs the connection by which the sink is told of the end.
func (l *loop) hearOut(ctx context.Context) {
	if !l.asking {
		return
	}
	select {
	case <-l.answers:
	case <-ctx.Done():
	case <-time.After(farewell):
	}
}

func (l *loop) addBacklog() {
	now := time.Now()
	for len(l.backlog) > 0 && l.d.Added() < addAhead {
		c := l.backlog[0]
		l.backlog = l.backlog[1:]
		switch {
		case l.draining: // found, but not by this run
		case c.earlier != nil:
			l.d.AddEarlier(c.earlier)
			l.lastChange = now
		case c.Size > l.v.cfg.MaxMessage:
			t := l.d.Add(dispatch.Image(c.image), c.id, now)
			l.d.Withhold(t, now)
			l.rejectUnsent(t, outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", c.Size, l.v.cfg.MaxMessage))
		default:
			l.d.Add(dispatch.Image(c.image), c.id, now)
		}
	}
}

// rejectUnsent settles a task that need not be sent for one to know that it is rejected.
func (l *loop) rejectUnsent(t *dispatch.Task, why *outcome.Rejection) {
	r := receiptOf(t, l.v.cfg.Run, outcome.Rejected, time.Now())
	r.Reason, r.Detail = why.Reason, why.Detail
	l.say(r)
}

// say settles a task on the ventilator's own word: once the sink has committed it, or at once when there is none.
func (l *loop) say(r wire.Receipt) {
	if l.v.talks == nil {
		l.settled(&r)
		return
	}
	l.settle = append(l.settle, r)
}

func (l *loop) nextRead() (chan<- readOrder, readOrder) {
	if l.next == nil && l.steered != "paused" {
		l.next = l.d.NextRead()
	}
	t := l.next
	if t == nil {
		return nil, readOrder{}
	}
	return l.reads, readOrder{task: t, path: t.Path, name: t.Name, info: wire.TaskInfo{
		ID: t.ID.String(), Run: l.v.cfg.Run, Delivery: t.Deliveries() + 1, Recipe: l.about.Recipe,
	}}
}

func (l *loop) wasRead(done readDone) {
	var rejection *outcome.Rejection
	switch {
	case done.err == nil:
		l.d.FinishRead(done.task, done.message)
	case errors.As(done.err, &rejection):
		if l.d.RejectRead(done.task, time.Now()) {
			l.rejectUnsent(done.task, rejection)
		}
	default:
		l.v.log.Warn("cannot read an image; it is tried again", "file", done.task.Path, "error", done.err)
		l.d.FailRead(done.task, done.err.Error(), time.Now())
	}
}

// assembly is how long the first task waits for the sink's events to be heard, since that a delivery failed is told by event
// alone, and for workers that the sink knows and that are not connected yet, so that a short run is shared by all of them.
const assembly = time.Second

func (l *loop) assembling(now time.Time) bool {
	if l.v.talks == nil || now.Sub(l.started) >= assembly || l.d.Counts().Deliveries > 0 {
		return false
	}
	return !l.d.EventsConnected() || l.d.Peers() > 0 && l.d.Peers() < l.expected
}

// sendReady hands out all that can be handed out now.
func (l *loop) sendReady() {
	if l.steered == "paused" || l.assembling(time.Now()) {
		return
	}
	for {
		dl, ok := l.d.Assign(time.Now())
		if !ok {
			return
		}
		l.v.metrics.delivered(dl.Kind)
		h := handover{task: dl.Task, message: dl.Message, size: dl.Size}
		err := l.v.push.SendTo(zsock.PeerID(dl.Peer), zsock.Message{dl.Message}, func(err error) {
			h := h
			h.err = err
			l.v.handed.put(h)
		})
		if err != nil { // the peer is going: its end is told to peersChanged, and takes the task back
			l.d.ReleaseBytes(dl.Size)
			if !errors.Is(err, zsock.ErrNoPeer) && !errors.Is(err, zsock.ErrClosed) {
				l.v.log.Warn("a task could not be sent", "file", dl.Task.Path, "error", err)
				l.d.FailSend(dl, err.Error(), time.Now())
			}
		}
	}
}

func (l *loop) handedOver() {
	for _, h := range l.v.handed.take() {
		l.d.ReleaseBytes(h.size)
		l.v.messages.put(h.message)
		if l.v.talks == nil && h.err == nil {
			l.d.Settle(&wire.Receipt{Outcome: outcome.Done, Stranger: true}, h.task.ID)
			l.lastChange = time.Now()
		}
	}
}

// sinkIsUp asks about what was said while no connection to the sink's events was there to hear it.
func (l *loop) sinkIsUp() {
	l.v.sinkUp.take()
	l.urgent = true
	l.d.SetEventsConnected(true)
	l.d.ShortenStrangerLeases(time.Now())
}

func (l *loop) peersChanged() {
	now := time.Now()
	for _, ev := range l.v.peerEvents.take() {
		switch ev.Kind {
		case zsock.PeerUp:
			l.lastPeer = now
			p := l.d.AddPeer(dispatch.PeerID(ev.Peer.ID), ev.Peer.Identity)
			l.v.log.Info("worker joined", "worker", p.Name, "stranger", p.Stranger, "from", ev.Peer.Remote, "slots", p.Slots)
		case zsock.PeerDown:
			l.lastPeer = now
			ask := l.d.RemovePeer(dispatch.PeerID(ev.Peer.ID), now)
			l.v.log.Info("worker left", "from", ev.Peer.Remote, "why", ev.Err)
			l.askAbout(ask)
		case zsock.PeerRefused:
			l.v.log.Warn("a connection was refused", "from", ev.Peer.Remote, "why", ev.Err)
		}
	}
}

func (l *loop) take(ev event) {
	now := time.Now()
	switch {
	case ev.failed:
		if id, err := taskid.Parse(ev.receipt.ID); err == nil {
			l.d.RecordFailure(id, ev.receipt, now)
		}
	case ev.answered != nil:
		if id, err := taskid.Parse(ev.answered.ID); err == nil {
			l.d.ReleaseWorker(id, ev.answered.Worker, ev.answered.Instance, now)
		}
	case ev.receipt != nil:
		l.settled(ev.receipt)
	case ev.name != "":
		if t := l.d.RecordOutput(ev.name); t != nil {
			l.say(strangersReceipt(t, l.v.cfg.Run, l.v.cfg.Recipe.OutputNames(t.Name), now))
		}
	case ev.heartbeat != nil:
		l.askAbout(l.d.RecordHeartbeat(ev.heartbeat, now))
	case ev.restarted:
		l.urgent = true
		l.d.ShortenStrangerLeases(now)
	case ev.state != nil && (ev.state.Run == "" || ev.state.Run == l.v.cfg.Run):
		l.steer(ev.state.State)
	}
}

func (l *loop) settled(r *wire.Receipt) {
	id, err := taskid.Parse(r.ID)
	if err != nil {
		return // another's
	}
	if t := l.d.Task(id); t != nil && r.Outcome.Settled() {
		l.v.metrics.settledAfter(time.Since(t.Found))
		if r.Outcome == outcome.Rejected {
			l.v.log.Warn("rejected", "file", t.Path, "reason", r.Reason, "detail", r.Detail)
			l.v.cfg.Rejected(t.Path, *r)
		}
		if r.Outcome == outcome.Dead {
			l.v.log.Error("dead letter", "file", t.Path, "detail", r.Detail, "deliveries", t.Deliveries())
		}
	}
	if r.Outcome.Settled() && l.d.Settle(r, id) {
		l.lastChange = time.Now()
	}
}

func (l *loop) ring(now time.Time) {
	blocked := l.lastStuck
	if l.sinkGone != "" || l.sinkStuck != "" {
		blocked = now
	}
	for _, t := range l.d.AdvanceTime(now, blocked) {
		l.v.log.Warn("a lease ran out", "file", t.Path, "delivery", t.Deliveries())
		l.urgentIDs = append(l.urgentIDs, t.ID)
		l.urgent = true
	}
}

func (l *loop) steer(state string) {
	if state == "" || state == l.steered || l.steered == "cancelled" {
		return
	}
	l.v.log.Info("an operator steers the run", "state", state)
	l.steered = state
	l.lastChange = time.Now()
	if state == "cancelled" {
		l.startDrain()
	}
}

// startDrain gives up what no worker holds.
func (l *loop) startDrain() {
	if l.draining {
		return
	}
	l.draining = true
	l.v.setReady("draining")
	l.stopFeed()
	dropped := l.d.Drain(time.Now())
	l.backlog = nil
	l.v.log.Info("draining", "held by workers", l.d.Unsettled(), "left for the next run", dropped)
}
