package ventilator

import (
	"context"
	"errors"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// loop is the one goroutine that owns the dispatcher. Everything that happens in a run comes to it as a message.
type loop struct {
	v *Ventilator
	d *dispatcher

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
	next       *task          // the next to be read, taken from the dispatcher
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
	d := newDispatcher(&v.cfg)
	d.counts.ID, d.counts.Started, d.counts.Total = v.cfg.Run, started, look.Images
	d.counts.Inputs, d.counts.Recipe, d.counts.Host = v.cfg.Inputs, v.cfg.Recipe.String(), v.cfg.Host
	now := time.Now() // no worker could connect, and nothing be settled, while the images were counted
	l := &loop{
		v: v, d: d,
		feed: make(chan []candidate, 1), reads: make(chan readOrder), readDone: make(chan readDone, v.cfg.Readers),
		events: make(chan event, 256), questions: make(chan question, 1), answers: make(chan answer, 1),
		lastChange: now, lastPeer: now, started: now, steered: "running", expected: -1,
	}
	d.onDead = func(t *task) { l.say(t.receipt(v.cfg.Run, outcome.Dead, time.Now())) }
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
	for !l.d.finished() {
		l.sendReady()
		if at, ok := l.d.nextAlarm(); ok {
			alarm.Reset(time.Until(at))
		}
		feed := l.feed
		if len(l.backlog) > 0 || l.d.fed {
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
				l.d.fed = true
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
	for len(l.backlog) > 0 && l.d.due.len() < addAhead {
		c := l.backlog[0]
		l.backlog = l.backlog[1:]
		switch {
		case l.draining: // found, but not by this run
		case c.earlier != nil:
			l.d.settledEarlier(c.earlier)
			l.lastChange = now
		case c.Size > l.v.cfg.MaxMessage:
			l.d.add(c.image, c.id, now)
			l.rejectUnsent(l.d.tasks[c.id], outcome.Reject(outcome.TooLarge, "%d bytes, the limit is %d", c.Size, l.v.cfg.MaxMessage))
		default:
			l.d.add(c.image, c.id, now)
		}
	}
}

// rejectUnsent settles a task that need not be sent for one to know that it is rejected.
func (l *loop) rejectUnsent(t *task, why *outcome.Rejection) {
	r := t.receipt(l.v.cfg.Run, outcome.Rejected, time.Now())
	r.Reason, r.Detail = why.Reason, why.Detail
	l.d.withhold(t, time.Now())
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
		l.next = l.d.nextRead()
	}
	t := l.next
	if t == nil {
		return nil, readOrder{}
	}
	return l.reads, readOrder{task: t, path: t.Path, name: t.Name, info: wire.TaskInfo{
		ID: t.id.String(), Run: l.v.cfg.Run, Delivery: t.deliveries + 1, Recipe: l.d.counts.Recipe,
	}}
}

func (l *loop) wasRead(done readDone) {
	var rejection *outcome.Rejection
	switch {
	case done.err == nil:
		l.d.wasRead(done.task, done.message)
	case errors.As(done.err, &rejection):
		l.d.inflight -= done.task.size
		switch t := done.task; {
		case l.d.tasks[t.id] != t:
		case len(t.holders) > 0: // it changed, and a worker has it as it was
			l.d.lend(t, nil, time.Now())
		default:
			l.rejectUnsent(t, rejection)
		}
	default:
		l.v.log.Warn("cannot read an image; it is tried again", "file", done.task.Path, "error", done.err)
		l.d.unreadable(done.task, done.err.Error(), time.Now())
	}
}

// assembly is how long the first task waits for the sink's events to be heard, since that a delivery failed is told by event
// alone, and for workers that the sink knows and that are not connected yet, so that a short run is shared by all of them.
const assembly = time.Second

func (l *loop) assembling(now time.Time) bool {
	if l.v.talks == nil || l.d.counts.Deliveries > 0 || now.Sub(l.started) >= assembly {
		return false
	}
	return !l.d.hearing || len(l.d.peers) > 0 && len(l.d.peers) < l.expected
}

// sendReady hands out all that can be handed out now.
func (l *loop) sendReady() {
	if l.steered == "paused" || l.assembling(time.Now()) {
		return
	}
	for {
		dl, ok := l.d.assign(time.Now())
		if !ok {
			return
		}
		l.v.metrics.delivered(dl.task)
		h := handover{task: dl.task, message: dl.message, size: dl.task.size}
		err := l.v.push.SendTo(dl.peer.id, zsock.Message{dl.message}, func(err error) {
			h := h
			h.err = err
			l.v.handed.put(h)
		})
		if err != nil { // the peer is going: its end is told to peersChanged, and takes the task back
			l.d.handedOver(dl.task, h.size)
			if !errors.Is(err, zsock.ErrNoPeer) && !errors.Is(err, zsock.ErrClosed) {
				l.v.log.Warn("a task could not be sent", "file", dl.task.Path, "error", err)
				l.d.letGo(dl.task)
				l.d.fail(dl.task, err.Error(), time.Now())
			}
		}
	}
}

func (l *loop) handedOver() {
	for _, h := range l.v.handed.take() {
		l.d.handedOver(h.task, h.size)
		l.v.messages.put(h.message)
		if l.v.talks == nil && h.err == nil {
			l.d.settle(&wire.Receipt{Outcome: outcome.Done, Stranger: true}, h.task.id)
			l.lastChange = time.Now()
		}
	}
}

// sinkIsUp asks about what was said while no connection to the sink's events was there to hear it.
func (l *loop) sinkIsUp() {
	l.v.sinkUp.take()
	l.urgent = true
	l.d.hear(true)
	l.d.missedNames(time.Now())
}

func (l *loop) peersChanged() {
	now := time.Now()
	for _, ev := range l.v.peerEvents.take() {
		switch ev.Kind {
		case zsock.PeerUp:
			l.lastPeer = now
			p := l.d.peerUp(ev.Peer.ID, ev.Peer.Identity)
			l.v.log.Info("worker joined", "worker", p.name, "stranger", p.stranger, "from", ev.Peer.Remote, "slots", p.slots)
		case zsock.PeerDown:
			l.lastPeer = now
			ask := l.d.peerDown(ev.Peer.ID, now)
			l.v.log.Info("worker left", "from", ev.Peer.Remote, "why", ev.Err)
			for _, t := range ask {
				l.urgentIDs = append(l.urgentIDs, t.id)
				l.urgent = true
			}
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
			l.d.failed(id, ev.receipt, now)
		}
	case ev.answered != nil:
		if id, err := taskid.Parse(ev.answered.ID); err == nil {
			l.d.answered(id, ev.answered.Worker, ev.answered.Instance, now)
		}
	case ev.receipt != nil:
		l.settled(ev.receipt)
	case ev.name != "":
		if t := l.d.takeName(ev.name); t != nil {
			l.say(t.strangersReceipt(l.v.cfg.Run, l.v.cfg.Recipe.OutputNames(t.Name), now))
		}
	case ev.heartbeat != nil:
		l.askAbout(l.d.heard(ev.heartbeat, now))
	case ev.restarted:
		l.urgent = true
		l.d.missedNames(now)
	case ev.state != nil && (ev.state.Run == "" || ev.state.Run == l.v.cfg.Run):
		l.steer(ev.state.State)
	}
}

func (l *loop) settled(r *wire.Receipt) {
	id, err := taskid.Parse(r.ID)
	if err != nil {
		return // another's
	}
	if t := l.d.tasks[id]; t != nil && r.Outcome.Settled() {
		l.v.metrics.settledAfter(time.Since(t.found))
		if r.Outcome == outcome.Rejected {
			l.v.log.Warn("rejected", "file", t.Path, "reason", r.Reason, "detail", r.Detail)
			l.v.cfg.Rejected(t.Path, *r)
		}
		if r.Outcome == outcome.Dead {
			l.v.log.Error("dead letter", "file", t.Path, "detail", r.Detail, "deliveries", t.deliveries)
		}
	}
	if r.Outcome.Settled() && l.d.settle(r, id) {
		l.lastChange = time.Now()
	}
}

func (l *loop) ring(now time.Time) {
	stuck := l.lastStuck
	if l.v.talks == nil || l.sinkGone != "" || l.sinkStuck != "" { // nothing is heard: the connection alone tells of its end
		stuck = now
	}
	for _, t := range l.d.ring(now, stuck) {
		l.v.log.Warn("a lease ran out", "file", t.Path, "delivery", t.deliveries)
		l.urgentIDs = append(l.urgentIDs, t.id)
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
	dropped := l.d.drain(time.Now())
	l.backlog = nil
	l.v.log.Info("draining", "held by workers", len(l.d.tasks), "left for the next run", dropped)
}
