package sink

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// This file decides which ventilator owns a run. The first caller of a run registers its key. Nobody else can speak for
// the run until it has ended, or its ventilator has been silent for runTimeout. Where its connection has ended, another
// process of the same machine or certificate waits for abandonedAfter only. The ledger keeps the key of the tickets
// of live runs, so that this also holds after a restart of the sink.

// keyring holds the keys of the runs in memory. liveRuns guards it with its mutex.
type keyring struct {
	ticketKey []byte // wire.TicketKey of the run's key; empty: its ventilator has none
	tickets   *wire.Tickets
}

func newKeyring(ticketKey []byte) keyring {
	k := keyring{ticketKey: ticketKey}
	if len(ticketKey) > 0 {
		k.tickets = wire.NewTickets(ticketKey)
	}
	return k
}

// ticketKeyOf returns the ticket key of a run's key; empty for none.
func ticketKeyOf(runKey []byte) ([]byte, error) {
	switch len(runKey) {
	case 0:
		return nil, nil
	case wire.RunKeySize:
		return wire.TicketKey(runKey), nil
	}
	return nil, fmt.Errorf("the key of a run has %d bytes, not %d", len(runKey), wire.RunKeySize)
}

// authorizeRun returns an error unless a caller with this key may report the run.
// continued reports that the ledger has the run as live, with this key, from before the sink was restarted.
func (c *core) authorizeRun(
	run string, runKey []byte, account string, now time.Time,
) (ticketKey []byte, continued bool, err error) {
	if ticketKey, err = ticketKeyOf(runKey); err != nil {
		return nil, false, err
	}
	if len(ticketKey) == 0 && c.cfg.RefuseStrangers {
		return nil, false, fmt.Errorf("run %.40q: its ventilator registers no key; --allow-strangers admits it", run)
	}
	owner, live := c.runs.owner(run, now)
	if owner == nil && now.Sub(c.state.started()) <= runTimeout { // its ventilator may be about to call
		owner = c.recordedKey(run)
		live = owner != nil
		continued = live
	}
	if live && !bytes.Equal(owner, ticketKey) {
		if ended, ok := c.runs.interruptAbandoned(run, account, now); ok {
			c.interrupted(ended)
			return ticketKey, false, nil
		}
		return nil, false, fmt.Errorf("run %.40q belongs to another ventilator; "+
			"wait until that has ended or was silent for %v", run, runTimeout)
	}
	return ticketKey, continued, nil
}

// owner returns the ticket key of a run in memory, and whether the run is live; nil if the run is unknown.
func (l *liveRuns) owner(run string, now time.Time) (ticketKey []byte, live bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run]
	if r == nil {
		return nil, false
	}
	ticketKey = r.keys.ticketKey
	if ticketKey == nil {
		ticketKey = []byte{}
	}
	return ticketKey, r.Ended.IsZero() && now.Sub(r.called) <= runTimeout
}

// since returns when the sink first heard of a run. An older entry with the run's name belongs to an earlier run of the
// same name.
func (l *liveRuns) since(run string) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byID[run]; r != nil {
		return r.since
	}
	return time.Time{}
}

// setKey notes the ticket key of a run. continued says that the run began before the sink was restarted.
func (l *liveRuns) setKey(run string, ticketKey []byte, continued bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byID[run]; r != nil && !bytes.Equal(r.keys.ticketKey, ticketKey) {
		r.keys = newKeyring(ticketKey)
	}
	if r := l.byID[run]; r != nil && continued {
		r.since = time.Time{}
	}
}

// recordedKey returns the ticket key of a run that the ledger has as live; nil: none.
func (c *core) recordedKey(run string) []byte {
	record, ok, err := c.cfg.Ledger.LookupRun(run)
	if err != nil || !ok || record.State != outcome.Running || record.TicketKey == "" {
		return nil
	}
	key, err := hex.DecodeString(record.TicketKey)
	if err != nil {
		return nil
	}
	return key
}

// rightTicket reports whether the run issued this ticket for what.
func (c *core) rightTicket(run string, ticket wire.Ticket, what wire.TicketOf) bool {
	if known, right := c.runs.rightTicket(run, ticket, what); known {
		return right
	}
	key := c.recordedKey(run)
	return key != nil && wire.NewTickets(key).Right(ticket, what)
}

func (l *liveRuns) rightTicket(run string, ticket wire.Ticket, what wire.TicketOf) (known, right bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.byID[run]
	if r == nil {
		return false, false
	}
	return true, r.keys.tickets != nil && r.keys.tickets.Right(ticket, what)
}

// authorizeSettlement returns an error unless a caller with this key may settle the task of r.
func (s *settler) authorizeSettlement(r *wire.Receipt, ticketKey []byte) error {
	owner, _ := s.runs.owner(r.Run, time.Now())
	if len(owner) == 0 {
		owner = s.recordedKey(r.Run)
	}
	switch {
	case len(owner) == 0 && s.cfg.RefuseStrangers:
		return fmt.Errorf("run %.40q has registered no key; --allow-strangers admits it", r.Run)
	case len(owner) > 0 && !bytes.Equal(owner, ticketKey):
		return fmt.Errorf("run %.40q belongs to another ventilator", r.Run)
	case r.Outcome == outcome.Done && s.cfg.RefuseStrangers:
		return errors.New("only --allow-strangers admits tasks that are done by a stranger's report alone")
	}
	return nil
}

// strangersOutputs returns an error unless the outputs of r are those that the recipe of its run makes of its file.
func (s *settler) strangersOutputs(r *wire.Receipt) error {
	names := make([]string, len(r.Outputs))
	for i := range r.Outputs {
		names[i] = r.Outputs[i].Name
	}
	text := s.runs.recipe(r.Run)
	if text == "" {
		return s.checkOwner(r.Filename, names)
	}
	what, err := recipe.ParseCanonical(text)
	if err != nil {
		return fmt.Errorf("the recipe of run %.40q: %w", r.Run, err)
	}
	usual, full := what.OutputNames(r.Filename), what.KeepExtensions().OutputNames(r.Filename)
	for _, name := range names {
		if !takeOut(usual, name) && !takeOut(full, name) {
			return fmt.Errorf("the recipe of run %.40q does not make %.80q of %.80q", r.Run, name, r.Filename)
		}
	}
	return nil
}

// recipe returns the recipe of a run in memory; empty: unknown.
func (l *liveRuns) recipe(run string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r := l.byID[run]; r != nil {
		return r.Recipe
	}
	return ""
}

// claims are the tasks whose results are being written and committed. The intake claims them in the order in which
// results come; a second result of such a task is a duplicate.
type claims struct {
	mu    sync.Mutex
	tasks map[string]struct{}
}

func claimOf(r *wire.Result) string { return r.Run + "\x00" + canonicalID(r) }

// take claims a task, and reports whether it was free.
func (c *claims) take(claim string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, taken := c.tasks[claim]; taken {
		return false
	}
	if c.tasks == nil {
		c.tasks = make(map[string]struct{})
	}
	c.tasks[claim] = struct{}{}
	return true
}

// release frees a claimed task. It ignores an empty claim.
func (c *claims) release(claim string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tasks, claim)
}
