package dashboard

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/format"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Bounds on what the dashboard keeps of events.
const (
	maxRecent  = 24   // images shown
	maxRefused = 60   // rejections shown
	maxKnown   = 8192 // outputs that clients may request
	maxPinned  = 512  // outputs that were shown
	maxDetail  = 300  // bytes of a rejection's detail

	// replaceInterval is the least time between two replacements once all places for images are taken: nobody can look
	// at a page that changes faster.
	replaceInterval = 500 * time.Millisecond

	// maxThumbnail is the size in bytes of the largest output that a page loads unasked.
	maxThumbnail = 1 << 20
	// enoughThumbnail is the width or height in pixels that suffices for a page.
	enoughThumbnail = 160
)

// memory keeps the latest events: images done, rejections, and the names of outputs.
type memory struct {
	mu      sync.Mutex
	recent  []recentImage // newest first
	refused []refusedImage
	reasons map[string]uint64
	version uint64 // changes with any of the above
	shown   time.Time

	restored map[string]time.Time // when each task was settled that was read from the ledger at the start

	known  names // outputs that clients may request
	pinned names // outputs that were shown lately: pages may still be loading them
}

// recentImage is an image that was done, and its output to show.
type recentImage struct {
	File   string `json:"file"`
	Name   string `json:"name,omitempty"` // of the output; empty: browsers show none of the outputs
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Made   int    `json:"made"` // number of outputs
	Run    string `json:"run,omitempty"`
	Worker string `json:"worker,omitempty"`
	At     int64  `json:"at"` // unix milliseconds

	Warnings []string `json:"warnings,omitempty"`
	Color    string   `json:"color,omitempty"` // the mean, six hexadecimal digits
}

// refusedImage is an image that was rejected, or a dead letter.
type refusedImage struct {
	File   string `json:"file"`
	Why    string `json:"why"` // the reason, or "dead"
	Detail string `json:"detail,omitempty"`
	Run    string `json:"run,omitempty"`
	Worker string `json:"worker,omitempty"`
	At     int64  `json:"at"`
}

func newMemory() *memory {
	return &memory{reasons: make(map[string]uint64), known: newNames(maxKnown), pinned: newNames(maxPinned)}
}

// take keeps a receipt. It ignores all other events.
func (m *memory) take(ev wire.Event, now time.Time) {
	r, ok := ev.Payload.(*wire.Receipt)
	if !ok || r.Duplicate {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.restored[r.ID]; ok && at.Equal(r.At.Truncate(time.Microsecond)) { // the ledger keeps microseconds
		return
	}
	switch r.Outcome {
	case outcome.Done:
		m.allow(r)
		if len(m.recent) == maxRecent && now.Sub(m.shown) < replaceInterval {
			return
		}
		m.shown = now
		image := recentOf(r)
		m.pinned.add(image.Name, image.At)
		m.recent = slices.Insert(m.recent, 0, image)
		m.recent = m.recent[:min(len(m.recent), maxRecent)]
	case outcome.Rejected, outcome.Dead:
		refused := refusedOf(r)
		m.reasons[refused.Why]++
		m.refused = slices.Insert(m.refused, 0, refused)
		m.refused = m.refused[:min(len(m.refused), maxRefused)]
	default:
		return
	}
	m.version++
}

// allow lets clients request the outputs of r. The caller holds the lock.
func (m *memory) allow(r *wire.Receipt) {
	for _, o := range r.Outputs {
		m.known.add(o.Name, r.At.UnixMilli())
	}
}

// allowAll lets clients request the outputs of entries that were read from the ledger.
func (m *memory) allowAll(entries []wire.Receipt) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range entries {
		if entries[i].Outcome == outcome.Done {
			m.allow(&entries[i])
		}
	}
}

// allowed returns when the output was made. ok is false unless a receipt or an entry has named the output.
func (m *memory) allowed(name string) (at int64, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok = m.known.at[name]; !ok {
		at, ok = m.pinned.at[name]
	}
	return at, ok
}

// forgetRetried forgets the rejections that a retry has made due again.
func (m *memory) forgetRetried(args *wire.EntriesArgs) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	m.refused = slices.DeleteFunc(m.refused, func(r refusedImage) bool {
		if !selects(args, r.Why) || args.Run != "" && args.Run != r.Run {
			return false
		}
		m.decrement(r.Why)
		return true
	})
	if args.Run != "" {
		return
	}
	for why := range m.reasons {
		if selects(args, why) {
			delete(m.reasons, why)
		}
	}
}

func (m *memory) decrement(why string) {
	if m.reasons[why]--; m.reasons[why] == 0 {
		delete(m.reasons, why)
	}
}

func selects(args *wire.EntriesArgs, why string) bool {
	if why == string(outcome.Dead) {
		return len(args.Reasons) == 0 && (len(args.Outcomes) == 0 || slices.Contains(args.Outcomes, outcome.Dead))
	}
	return (len(args.Reasons) == 0 || slices.Contains(args.Reasons, outcome.Reason(why))) &&
		(len(args.Outcomes) == 0 || slices.Contains(args.Outcomes, outcome.Rejected))
}

// album is a copy of what pages show.
type album struct {
	version uint64
	Recent  []recentImage     `json:"recent"`
	Refused []refusedImage    `json:"refused"`
	Reasons map[string]uint64 `json:"reasons"` // of all that the ledger holds
}

// album returns what pages show. It returns prev when nothing has changed since.
func (m *memory) album(prev *album) *album {
	m.mu.Lock()
	defer m.mu.Unlock()
	if prev != nil && prev.version == m.version {
		return prev
	}
	a := &album{version: m.version}
	a.Recent = append([]recentImage{}, m.recent...) // never null
	a.Refused = append([]refusedImage{}, m.refused...)
	a.Reasons = make(map[string]uint64, len(m.reasons))
	for why, n := range m.reasons {
		a.Reasons[why] = n
	}
	return a
}

func recentOf(r *wire.Receipt) recentImage {
	image := recentImage{File: r.Filename, Made: len(r.Outputs), Run: r.Run, Worker: r.Worker, At: r.At.UnixMilli(),
		Warnings: r.Notes()}
	if r.Known != nil {
		image.Color = r.Known.Color
	}
	if o, ok := thumbnail(r.Outputs); ok {
		image.Name, image.Width, image.Height = o.Name, o.Width, o.Height
	}
	return image
}

// thumbnail picks the output to show: the smallest that is large enough, otherwise the largest.
func thumbnail(outputs []wire.OutputInfo) (best wire.OutputInfo, ok bool) {
	for _, o := range outputs {
		if !shows(o.Name) || o.Size > maxThumbnail {
			continue
		}
		side, than := max(o.Width, o.Height), max(best.Width, best.Height)
		if !ok || than < enoughThumbnail && side > than || side >= enoughThumbnail && side < than {
			best, ok = o, true
		}
	}
	return best, ok
}

// shows reports whether browsers show what has that name.
func shows(name string) bool {
	return format.OfFile(name).Browser || format.Extension(name) == "" // without an extension: worth a try
}

func refusedOf(r *wire.Receipt) refusedImage {
	why := string(r.Reason)
	if r.Outcome == outcome.Dead {
		why = string(outcome.Dead)
	}
	detail := r.Detail
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + " …"
	}
	return refusedImage{File: r.Filename, Why: why, Detail: detail, Run: r.Run, Worker: r.Worker, At: r.At.UnixMilli()}
}
