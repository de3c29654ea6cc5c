package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// This file bounds the texts of messages where they enter. A sender that anyone can be must not fill the memory, the
// log, the ledger or the events of its receiver.

// Limits of single texts and lists, in bytes where nothing else is said.
const (
	MaxWorkerName = 255         // of a worker's name
	MaxQuality    = 100         // of an encoder; no bytes
	MaxFormat     = 64          // of the name of an image format or of a reason
	MaxDetail     = 4 << 10     // of a detail; longer ones are cut
	MaxHost       = 255         // of the name of a host
	MaxWaiting    = 1 << 10     // of what a run waits for
	MaxInputs     = 64          // inputs that a run reports
	MaxLeftOut    = 64          // kinds of what a walk left out, each of at most MaxFormat bytes
	MaxRunNames   = 64 << 10    // of all inputs, and of all missing images, that a run reports
	maxInfo       = 4 * MaxText // of the map of optional fields of a task or a result
	maxHeartbeat  = 2 << 20     // of a heartbeat: MaxHeld ids and some counters
	MaxTicket     = 64          // of a ticket; ours have TicketSize
	maxOp         = 32          // of the name of a control call
	maxWords      = 32          // outcomes or reasons in one filter
	maxCursor     = 2 * MaxID   // of where a page begins
	maxCount      = 1 << 53     // of images, bytes or microseconds: JSON has larger numbers inexactly, and sums overflow
)

// CutText is outcome.Cut, and its result does not keep the memory of a longer s.
func CutText(s string, max int) string {
	if len(s) <= max {
		return s
	}
	return strings.Clone(outcome.Cut(s, max))
}

// text returns an encoded string of at most max bytes. It copies the bytes only after it has checked their number.
func text(b []byte, what string, max int) (string, error) {
	t, err := raw(b)
	if err != nil {
		return "", err
	}
	if len(t) > max {
		return "", malformed("%s of %d bytes (limit %d)", what, len(t), max)
	}
	return string(t), nil
}

// Check returns an error that says in a sentence which limit the run of a control call exceeds.
func (r *Run) Check() error {
	switch {
	case r.ID == "" || len(r.ID) > MaxID || strings.ContainsRune(r.ID, 0):
		return fmt.Errorf("run %.40q: its name must have 1 to %d bytes and no NUL", r.ID, MaxID)
	case r.State != "" && !r.State.Known():
		return fmt.Errorf("run %.40q: unknown state %.40q", r.ID, r.State)
	case len(r.Inputs) > MaxInputs || total(r.Inputs) > MaxRunNames:
		return fmt.Errorf("run %.40q: %d inputs, at most %d of %d bytes in all", r.ID, len(r.Inputs), MaxInputs, MaxRunNames)
	case len(r.Recipe) > MaxText:
		return fmt.Errorf("run %.40q: a recipe of %d bytes, at most %d", r.ID, len(r.Recipe), MaxText)
	case len(r.Host) > MaxHost || len(r.Waiting) > MaxWaiting:
		return fmt.Errorf("run %.40q: its host or what it waits for is too long", r.ID)
	case len(r.Missing) > MaxMissing || total(r.Missing) > MaxRunNames:
		return fmt.Errorf("run %.40q: %d missing images, at most %d of %d bytes in all", r.ID, len(r.Missing), MaxMissing,
			MaxRunNames)
	case len(r.LeftOut) > MaxLeftOut:
		return fmt.Errorf("run %.40q: it left out %d kinds of files, at most %d", r.ID, len(r.LeftOut), MaxLeftOut)
	case !canBeWritten(r.Started) || !canBeWritten(r.Ended):
		return fmt.Errorf("run %.40q: it began or ended in a year that is not 1 to 9998", r.ID)
	}
	for _, n := range [...]int64{r.Total, r.Found, r.Done, r.Skipped, r.Rejected, r.Dead, r.Earlier, r.Acknowledged, r.New,
		r.Pending, r.Leased, r.Deliveries, r.Redeliveries, r.Speculative, r.Strangers, r.Unproven, r.Partly, r.Bytes,
		int64(r.Peers), r.WorkUS} {
		if n < 0 || n > maxCount {
			return fmt.Errorf("run %.40q: a count of %d, not 0 to %d", r.ID, n, int64(maxCount))
		}
	}
	for kind, n := range r.LeftOut {
		if n < 0 || n > maxCount {
			return fmt.Errorf("run %.40q: it left out %d files of a kind, not 0 to %d", r.ID, n, int64(maxCount))
		}
		if kind == "" || len(kind) > MaxFormat {
			return fmt.Errorf("run %.40q: it left out files of a kind %.40q of %d bytes, not 1 to %d", r.ID, kind, len(kind),
				MaxFormat)
		}
	}
	return nil
}

// canBeWritten reports whether JSON has a form for t in every time zone.
func canBeWritten(t time.Time) bool {
	year := t.UTC().Year()
	return year >= 1 && year < 9999
}

// Trim shortens the texts and lists of r to the limits of Check. The ventilator calls it before it reports r.
func (r *Run) Trim() {
	r.Inputs, r.Missing = trimNames(r.Inputs, MaxInputs), trimNames(r.Missing, MaxMissing)
	for kind := range r.LeftOut {
		if kind == "" || len(kind) > MaxFormat || len(r.LeftOut) > MaxLeftOut {
			delete(r.LeftOut, kind)
		}
	}
	r.Recipe, r.Host, r.Waiting = CutText(r.Recipe, MaxText), CutText(r.Host, MaxHost), CutText(r.Waiting, MaxWaiting)
}

func trimNames(names []string, max int) []string {
	bytes := 0
	for i, name := range names {
		if bytes += len(name); i == max || bytes > MaxRunNames {
			return names[:i]
		}
	}
	return names
}

func total(texts []string) (n int) {
	for _, t := range texts {
		n += len(t)
	}
	return n
}

// Check returns an error that says which limit a receipt of a ventilator exceeds. It cuts the detail.
func (r *Receipt) Check() error {
	if err := CheckName(r.Filename); err != nil {
		return err
	}
	r.Detail = CutText(r.Detail, MaxDetail)
	switch {
	case len(r.ID) > MaxID || len(r.Run) > MaxID:
		return malformed("id or run longer than %d bytes", MaxID)
	case len(r.Worker) > MaxWorkerName || len(r.Source) > MaxName:
		return malformed("the worker or the source of a receipt is too long")
	case r.Delivery < 0 || r.Bytes < 0 || r.Bytes > maxCount:
		return malformed("a receipt of %d bytes, of delivery %d", r.Bytes, r.Delivery)
	case len(r.Outputs) > MaxOutputs:
		return malformed("%d outputs, at most %d", len(r.Outputs), MaxOutputs)
	}
	for _, o := range r.Outputs {
		if err := CheckName(o.Name); err != nil {
			return err
		}
	}
	if err := checkColumns(r.URL, r.Columns); err != nil {
		return err
	}
	return checkNotes(r.Dropped, r.Refused, r.Warnings, r.Known)
}

// checkNotes checks what a result or a receipt says of an image that was transformed.
func checkNotes(dropped []string, refused []RefusedVariant, warnings outcome.Warnings, facts *known.Facts) error {
	if len(dropped) > MaxDropped {
		return malformed("%d kinds of dropped metadata, at most %d", len(dropped), MaxDropped)
	}
	for _, d := range dropped {
		if d == "" || len(d) > MaxDroppedName {
			return malformed("a kind of dropped metadata has %d bytes, not 1 to %d", len(d), MaxDroppedName)
		}
	}
	if err := checkRefused(refused); err != nil {
		return err
	}
	if err := errors.Join(warnings.Check(), facts.Check()); err != nil {
		return malformed("%v", err)
	}
	return nil
}

// Check returns an error that says which limit the filter exceeds.
func (a *EntriesArgs) Check() error {
	if len(a.Run) > MaxID || len(a.After) > maxCursor || len(a.Outcomes) > maxWords || len(a.Reasons) > maxWords {
		return malformed("a run, a cursor or a list of words of the filter is too long")
	}
	for _, o := range a.Outcomes {
		if _, err := outcome.Parse(string(o)); err != nil {
			return malformed("%v", err)
		}
	}
	return nil
}
