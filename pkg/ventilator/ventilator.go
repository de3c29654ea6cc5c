package ventilator

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/source"
	"github.com/imagefarm/imagefarm/pkg/telemetry"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Ventilator is one run. Make it with New, and call Run once.
type Ventilator struct {
	cfg     Config
	log     *slog.Logger
	peerLog *slog.Logger // for what any peer can cause, as often as it likes
	finder  *finder
	drain   chan struct{} // closed by Drain

	push       *zsock.Push        // sends tasks to workers
	sub        *zsock.Sub         // receives events of the sink; nil: without a sink
	walkClient *sinkclient.Client // asks the sink what is settled already; owned by the walk
	loopClient *sinkclient.Client // makes the loop's calls; owned by serveSinkRequests

	key        []byte        // of the run; the sink gets it over control alone
	registered chan struct{} // closed when the sink has the key
	metrics    *metrics
	buffers    buffers
	roots      source.Roots
	leftOut    leftOut
	watch      *source.Watch // nil: the run ends when everything is settled
	naming     *naming       // set by the survey, then only read
	holder     *source.Holder
	ready      telemetry.Readiness

	// Messages from callbacks of sockets to the loop.
	peerEvents mailbox[zsock.PeerEvent]
	refusals   zsock.RefusalLog
	sent       mailbox[sentMessage]
	eventsUp   mailbox[struct{}] // new connections to the sink's events
}

// maxHeld is how many bytes of images from web servers and buckets are held between their look-up and their turn.
// Images of web servers that are being received come on top: as many bytes as may be in flight.
const maxHeld = 64 << 20

// New returns a run that has not begun. It looks at the inputs but starts nothing.
func New(cfg Config) (*Ventilator, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Run == "" {
		cfg.Run = fmt.Sprintf("%s-%04x", time.Now().UTC().Format("20060102-150405"), rand.Uint32N(1<<16))
	}
	cfg.Run = cfg.Part.runName(cfg.Run)
	cfg.Select.Web.Memory = source.NewMemory(cmp.Or(cfg.Dispatch.MaxInflightBytes, dispatch.DefaultInflightBytes))
	finder, err := newFinder(&cfg)
	if err != nil {
		return nil, err
	}
	v := &Ventilator{
		cfg: cfg, log: cfg.Logger, peerLog: telemetry.Limited(cfg.Logger), finder: finder, drain: make(chan struct{}),
		key:        wire.NewRunKey(),
		registered: make(chan struct{}),
		metrics:    newMetrics(cfg.Registerer),
		holder:     source.NewHolder(maxHeld),
		peerEvents: newMailbox[zsock.PeerEvent](),
		sent:       newMailbox[sentMessage](),
		eventsUp:   newMailbox[struct{}](),
	}
	if cfg.Watching {
		v.watch, err = source.NewWatch(finder.sources, source.WatchConfig{
			Settle: cfg.Settle, Rescan: cfg.Rescan, Logger: cfg.Logger, Observe: v.metrics.rescanned,
		})
		if err != nil {
			return nil, usage("%v", err)
		}
	}
	return v, nil
}

// withoutSink reports whether the run has no sink that settles its tasks.
func (v *Ventilator) withoutSink() bool { return v.cfg.Control == NoSink }

// Drain asks the run to send no further task, and to end when the tasks that workers hold are settled. Call it at
// most once, at any time.
func (v *Ventilator) Drain() { close(v.drain) }

// Ready returns nil while the run sends tasks, and otherwise an error that says why it does not. It may be called at
// any time.
func (v *Ventilator) Ready() error { return v.ready.Err() }
