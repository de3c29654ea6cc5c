package sink

import (
	"maps"
	"strings"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/wire"
)

// maxFailures is how many tasks' failed deliveries are remembered at least, twice as many at most: more than are asked
// about at once. maxFailureDetail bounds the words of each, bytes.
const (
	maxFailures      = 2 * wire.MaxBatch
	maxFailureDetail = 256
)

// failures remembers the last failed delivery of each of the tasks that failed lately. A failure settles nothing and is
// in no ledger: should the event that tells of it be lost, the ventilator can ask.
type failures struct {
	mu          sync.Mutex
	young, aged map[string]wire.Receipt // by id; when young is full it becomes aged, and what was aged is forgotten
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

// forget drops what is remembered of a run whose deliveries are counted anew.
func (f *failures) forget(run string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := func(_ string, r wire.Receipt) bool { return r.Run == run }
	maps.DeleteFunc(f.young, of)
	maps.DeleteFunc(f.aged, of)
}
