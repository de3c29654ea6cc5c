package sink

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// rolesOf returns the roles whose certificates allow a control call. A call that is not listed is a ventilator's.
func rolesOf(op string) []string {
	switch op {
	case wire.OpStatus, wire.OpEntries, wire.OpRuns, wire.OpOwners:
		return []string{pki.Viewer, pki.Operator, pki.Ventilator}
	case wire.OpSteer, wire.OpRetry, wire.OpAck:
		return []string{pki.Operator}
	}
	return []string{pki.Ventilator}
}

// authorize returns an error if the certificate of the caller does not allow the call. A caller over tcp, ipc or inproc
// has none, and may call everything.
func authorize(ctx context.Context, op string) error {
	p, secured := zsock.PrincipalOf(ctx)
	if !secured || slices.Contains(rolesOf(op), p.Role) {
		return nil
	}
	return fmt.Errorf("%s may not call %.40q: a certificate for that has the role %s", p, op, pki.AnyOf(rolesOf(op)))
}

// runOwners remembers which ventilator's certificate each of the last runs belongs to. It is safe for concurrent use.
type runOwners struct {
	mu     sync.Mutex
	byRun  map[string]string
	oldest []string // runs, in the order they came
}

// claim returns an error if a run belongs to another certificate than the caller's. A run belongs to the first that
// reports it.
func (o *runOwners) claim(ctx context.Context, run string) error {
	p, secured := zsock.PrincipalOf(ctx)
	if !secured {
		return nil
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch owner := o.byRun[run]; owner {
	case p.String():
		return nil
	case "":
	default:
		return fmt.Errorf("run %.40q belongs to %s, not to %s", run, owner, p)
	}
	if o.byRun == nil {
		o.byRun = make(map[string]string)
	}
	if len(o.oldest) >= wire.MaxRuns {
		delete(o.byRun, o.oldest[0])
		o.oldest = o.oldest[1:]
	}
	o.byRun[run] = p.String()
	o.oldest = append(o.oldest, run)
	return nil
}
