package ventilator

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// loop is the one goroutine that owns the dispatcher. Everything that happens in a run comes to it as a message. All
// fields are owned by it; other goroutines use the channels alone.
type loop struct {
	v     *Ventilator
	about wire.Run // names and describes the run; its counts are zero
	d     *dispatch.Dispatcher

	tickets  *wire.Tickets // of this run
	surveyed int64         // images that were counted before the first task

	found        chan []candidate // closed when all images were found
	readOrders   chan readOrder
	readResults  chan readResult
	events       chan event
	sinkRequests chan sinkRequest
	sinkReplies  chan sinkReply

	stopWalk func()
	spawn    func(func() error)          // starts a goroutine that the run waits for
	held     map[*dispatch.Task]struct{} // tasks whose images were fetched ahead, and may not have been read
	places   map[*dispatch.Task]func()   // of tasks whose images workers may be fetching from servers
	refused  map[string]refusal          // of a run that watches: images that were refused, by their paths
	backlog  []candidate                 // found, not yet added to the dispatcher
	nextRead *dispatch.Task              // to be read next; nil: none
	sink     sinkState

	runState    outcome.RunState // what an operator wants: running, paused or cancelled
	draining    bool
	ended       bool      // every found task is settled
	started     time.Time // when workers could first connect
	lastPeer    time.Time // when a worker was last connected
	lastSettled time.Time // when a task was last settled, or the run paused or resumed
	working     stopwatch
}

// maxAdded bounds how many unread tasks the dispatcher holds. It is enough that readers never wait for the walk.
const maxAdded = 1024

func (v *Ventilator) newLoop(started time.Time, look survey) *loop {
	now := time.Now() // not started: while the images were counted, no worker could connect and no task be settled
	l := &loop{
		v: v, surveyed: look.Images, tickets: wire.NewTickets(wire.TicketKey(v.key)),
		about: wire.Run{
			ID: v.cfg.Run, Started: started, Total: look.Images,
			Inputs: v.cfg.Inputs, Recipe: v.cfg.Recipe.String(), Host: v.cfg.Host,
		},
		found:        make(chan []candidate, 1),
		readOrders:   make(chan readOrder),
		readResults:  make(chan readResult, v.cfg.Readers),
		events:       make(chan event, 256),
		sinkRequests: make(chan sinkRequest, 1),
		sinkReplies:  make(chan sinkReply, 1),
		sink:         sinkState{workers: -1},
		places:       make(map[*dispatch.Task]func()),
		refused:      make(map[string]refusal),
		held:         make(map[*dispatch.Task]struct{}),
		runState:     outcome.Running,
		started:      now, lastPeer: now, lastSettled: now,
	}
	cfg := v.cfg.Dispatch
	cfg.WithoutSink, cfg.OutputNames, cfg.Jitter = v.withoutSink(), v.naming.outputs, jitter
	cfg.OnDead = func(t *dispatch.Task) { l.commitReceipt(t, v.receiptOf(t, outcome.Dead, time.Now())) }
	l.d = dispatch.New(cfg)
	return l
}

// jitter returns a random duration from 0 to limit.
func jitter(limit time.Duration) time.Duration { return time.Duration(rand.Int64N(int64(limit) + 1)) }

// run returns nil when all images were found and settled.
func (l *loop) run(ctx context.Context) error {
	defer func() { l.working.set(false, time.Now()) }()
	ticker := time.NewTicker(tickPeriod)
	defer ticker.Stop()
	deadline := time.NewTimer(time.Hour)
	defer deadline.Stop()
	drain := l.v.drain
	for !l.d.Finished() {
		l.sendTasks(ctx)
		if at, ok := l.d.NextDeadline(); ok {
			deadline.Reset(time.Until(at))
		}
		found := l.found
		if len(l.backlog) > 0 || l.d.AllAdded() {
			found = nil
		}
		orders, order := l.nextOrder()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-drain:
			drain = nil
			l.startDrain()
		case batch, ok := <-found:
			if !ok {
				l.d.FinishAdding()
				// The sink can then tell which result is the last, and commits it at once.
				l.sink.reportSoon = l.d.Counts().Earlier > 0
				break
			}
			l.backlog = batch
		case orders <- order:
			l.nextRead = nil
		case r := <-l.readResults:
			l.takeRead(r)
		case <-l.v.peerEvents.ready:
			l.takePeers()
		case <-l.v.sent.ready:
			l.takeSent()
		case <-l.v.eventsUp.ready:
			l.takeEventsConnection()
		case ev := <-l.events:
			l.takeEvent(ev)
		case a := <-l.sinkReplies:
			l.takeSinkReply(a)
		case <-deadline.C:
			l.advanceTime(time.Now())
		case <-ticker.C:
			if err := l.tick(time.Now()); err != nil {
				return err
			}
		}
		l.addBacklog()
		now := time.Now()
		l.updateWorking(now)
		l.requestSink(now)
	}
	l.awaitSinkReply(ctx)
	return nil
}

// addBacklog adds found images to the dispatcher, as many as it may hold unread.
func (l *loop) addBacklog() {
	now := time.Now()
	for len(l.backlog) > 0 && l.d.Added() < maxAdded {
		c := l.backlog[0]
		l.backlog = l.backlog[1:]
		switch {
		case l.draining: // left for the next run
			c.entry.Release()
		case c.earlier != nil:
			l.d.AddEarlier(c.earlier)
			l.lastSettled = now
		default:
			t := l.d.Add(dispatch.Image{Name: c.Name, Path: c.Path, Size: c.Size, Origin: &c.image}, c.id, now)
			switch {
			case !c.entry.IsHeld():
			case t.Origin.(*image) == &c.image:
				l.held[t] = struct{}{}
			default: // the task was known
				c.entry.Release()
			}
			if why := l.v.refusal(&c.image); why != nil {
				l.d.Withhold(t, now)
				l.rejectUnsent(t, why)
			}
		}
	}
}
