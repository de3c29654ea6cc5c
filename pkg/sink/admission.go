package sink

import (
	"errors"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// This file decides which messages of workers are admitted. Before that the sink publishes, writes and counts nothing
// of them.

// maxSenders bounds the connections and the recipes that admission remembers.
const maxSenders = 4096

// admission checks the messages of workers. The intake owns it.
type admission struct {
	*core
	senders map[zsock.PeerID]sender
	recipes map[string]recipe.Recipe // by canonical text
}

// A connection sends maxBeats heartbeats at once, and then beatsPerSecond, many times what a worker sends. The sink
// publishes each to all who listen, and anyone can announce a name and a token.
const (
	maxBeats       = 100
	beatsPerSecond = 20
)

// sender is a connection: what it announced of itself, and how many heartbeats it may send now.
type sender struct {
	name  string // empty: it announced none
	proof string // empty: it announced no token
	beats *allowance
}

func newAdmission(c *core) *admission {
	return &admission{core: c, senders: make(map[zsock.PeerID]sender), recipes: make(map[string]recipe.Recipe)}
}

func (a *admission) sender(p zsock.PeerInfo) sender {
	from, ok := a.senders[p.ID]
	if !ok {
		if w, announced := wire.ParseWorkerIdentity(p.Identity); announced {
			from.name, from.proof = pki.Certified(w.Name, p.Principal), w.Proof()
		} else if p.Principal.Role != "" {
			from.name, from.proof = p.Principal.Name, wire.PrincipalProof(p.Principal.String())
		}
		if len(a.senders) == maxSenders {
			clear(a.senders)
		}
		from.beats = &allowance{left: maxBeats}
		a.senders[p.ID] = from
	}
	return from
}

var (
	errNoTicket     = errors.New("it has no ticket; --allow-strangers admits results without one")
	errStranger     = errors.New("its sender announced no token; --allow-strangers admits it")
	errWrongTicket  = errors.New("its ticket is wrong: the run did not give this delivery of this task to its worker")
	errTooManyBeats = fmt.Errorf("its connection sends more than %d heartbeats a second", beatsPerSecond)
	errAnothersName = errors.New("its sender announced another name, or none while a worker of this name is connected")
)

// result returns an error unless r is admitted. If the sender announced a name, result puts it into r.
func (a *admission) result(r *wire.Result, from sender) error {
	switch {
	case from.name != "":
		r.Worker = from.name
	case a.state.isAnnounced(r.Worker):
		return errAnothersName
	}
	what := wire.TicketOf{ID: r.ID, Filename: r.Filename, Recipe: r.Recipe, Delivery: r.Delivery, Proof: from.proof}
	switch {
	case len(r.Ticket) > 0:
		if !a.rightTicket(r.Run, r.Ticket, what) {
			return errWrongTicket
		}
	case a.cfg.RefuseStrangers:
		return errNoTicket
	}
	if r.Outcome != outcome.Done {
		r.Outputs = nil
		return nil
	}
	return a.outputs(r)
}

// outputs returns an error unless the outputs of r are those that its recipe makes of its file. A stranger may leave
// the recipe out; then no output may be one of another image.
func (a *admission) outputs(r *wire.Result) (err error) {
	if r.Recipe == "" {
		names := make([]string, len(r.Outputs))
		for i := range r.Outputs {
			names[i] = r.Outputs[i].Name
		}
		return a.checkOwner(r.Filename, names)
	}
	what, ok := a.recipes[r.Recipe]
	if !ok {
		if what, err = recipe.ParseCanonical(r.Recipe); err != nil {
			return fmt.Errorf("its recipe: %w", err)
		}
		if len(a.recipes) == maxRuns {
			clear(a.recipes)
		}
		a.recipes[r.Recipe] = what
	}
	if len(r.Only) > 0 {
		if what, err = what.Only(r.Only); err != nil {
			return err
		}
	}
	if (len(r.Only) > 0 || len(r.Input) > 0) && taskid.Input(r.Input).ID(r.Recipe).String() != r.ID {
		return errors.New("its input is not that of its id")
	}
	allowed := what.OutputNames(r.Filename)
	if len(r.Only) > 0 && len(r.Outputs)+len(r.Refused) != len(allowed) {
		return fmt.Errorf("it has %d outputs and %d refused variants, and names %d", len(r.Outputs), len(r.Refused),
			len(allowed))
	}
	for i := range r.Outputs {
		name := r.Outputs[i].Name
		if !takeOut(allowed, name) {
			return fmt.Errorf("its recipe does not make an output %.80q of %.80q, or the output comes twice", name, r.Filename)
		}
	}
	return nil
}

// takeOut replaces name by an empty string in names, and reports whether it was there.
func takeOut(names []string, name string) bool {
	for i := range names {
		if names[i] == name {
			names[i] = ""
			return true
		}
	}
	return false
}

// checkOwner returns an error if one of the outputs belongs to another image in the ledger. The commit reports a
// damaged ledger.
func (c *core) checkOwner(filename string, outputs []string) (err error) {
	_ = c.cfg.Ledger.Owners(outputs, func(name string, e ledger.Entry) {
		if e.Filename != filename {
			err = fmt.Errorf("%.80q is an output of %.80q", name, e.Filename)
		}
	})
	return err
}

// heartbeat returns an error unless the sender of h may use the worker's name in h, and sends no more of them than a
// worker does. It puts the sender's proof into h.
func (a *admission) heartbeat(h *wire.Heartbeat, from sender, now time.Time) error {
	h.Proof = from.proof
	from.beats.refill(maxBeats, beatsPerSecond, now)
	switch {
	case from.name != "" && h.Worker != from.name:
		return errAnothersName
	case from.proof == "" && a.cfg.RefuseStrangers:
		return errStranger
	case from.name == "" && a.state.isAnnounced(h.Worker):
		return errAnothersName
	case from.beats.left < 1:
		return errTooManyBeats
	}
	from.beats.left--
	return nil
}

// refuseStranger returns an error if the sink refuses strangers, the only senders of bare names.
func (a *admission) refuseStranger() error {
	if a.cfg.RefuseStrangers {
		return errNoTicket
	}
	return nil
}
