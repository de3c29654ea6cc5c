package sink

import (
	"maps"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// failures remembers the failed deliveries of at least maxFailures tasks and of at most twice as many: more than a
// control call asks about. maxFailureDetail bounds the detail of each, in bytes.
const (
	maxFailures      = 2 * wire.MaxBatch
	maxFailureDetail = 256
)

// failures remembers the last failed delivery of each task that failed lately. A failure settles nothing and is in no
// ledger. If its event is lost, the ventilator asks for it.
type failures struct {
	mu          sync.Mutex
	young, aged map[string]wire.Receipt // by task id; a full young becomes aged, and the former aged is forgotten
}

func (f *failures) add(r *wire.Receipt) {
	kept := *r
	if len(kept.Detail) > maxFailureDetail {
		kept.Detail = strings.ToValidUTF8(kept.Detail[:maxFailureDetail], "") + "…"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.young == nil || len(f.young) >= maxFailures {
		f.young, f.aged = make(map[string]wire.Receipt), f.young
	}
	f.young[kept.ID] = kept
}

func (f *failures) of(id string) (wire.Receipt, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r, ok := f.young[id]; ok {
		return r, true
	}
	r, ok := f.aged[id]
	return r, ok
}

// forget drops the failures of a run that starts again, whose deliveries are counted from 1.
func (f *failures) forget(run string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := func(_ string, r wire.Receipt) bool { return r.Run == run }
	maps.DeleteFunc(f.young, of)
	maps.DeleteFunc(f.aged, of)
}
