package ledger

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"github.com/imagefarm/imagefarm/pkg/outcome"
)

// storedState is a run's state as records hold it. A record says Running until the run's end is known.
type storedState outcome.RunState

// storedWords are the words of records that differ from the states' own.
func storedWords() map[outcome.RunState]string {
	return map[outcome.RunState]string{outcome.Running: "active", outcome.Interrupted: "cut"}
}

// MarshalText implements encoding.TextMarshaler.
func (s storedState) MarshalText() ([]byte, error) {
	if word, ok := storedWords()[outcome.RunState(s)]; ok {
		return []byte(word), nil
	}
	return []byte(s), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *storedState) UnmarshalText(text []byte) error {
	*s = storedState(text)
	for state, word := range storedWords() {
		if word == string(text) {
			*s = storedState(state)
		}
	}
	return nil
}

// Run is the record of one run, for reports. Its numbers are those that the ventilator reported. Counts returns the
// sums of the entries.
type Run struct {
	ID      string           `json:"id"` // 1 to 128 bytes, no NUL
	State   outcome.RunState `json:"-"`  // running, finished, interrupted or stalled
	Started time.Time        `json:"started"`
	Ended   time.Time        `json:"ended,omitzero"` // zero while it is active
	Recipe  string           `json:"recipe,omitempty"`
	Host    string           `json:"host,omitempty"` // the ventilator's

	Found        int64 `json:"found"` // images
	Done         int64 `json:"done"`
	Skipped      int64 `json:"skipped"`
	Rejected     int64 `json:"rejected"`
	Dead         int64 `json:"dead"`
	Redeliveries int64 `json:"redeliveries"`
	Duplicates   int64 `json:"duplicates"`

	LeftOut map[string]int64 `json:"left_out,omitempty"` // what the walk left out, by kind

	Earlier int64 `json:"earlier,omitempty"` // of the settled, those that earlier runs settled
	Bytes   int64 `json:"bytes,omitempty"`   // of the images that this run settled
	// TicketKey checks the tickets of the run's tasks, in hexadecimal digits. It is there while the run is live.
	TicketKey string `json:"ticket_key,omitempty"`

	WorkUS int64 `json:"work_us,omitempty"` // time by which its rate is reckoned, microseconds; 0: its whole time
}

// record is a Run as it is stored.
type record struct {
	*Run
	State storedState `json:"state"`
}

// Missing returns how many images were found and are not accounted for: found − (done + skipped + rejected + dead).
// It is below zero when more were settled than found.
func (r *Run) Missing() int64 { return r.Found - (r.Done + r.Skipped + r.Rejected + r.Dead) }

// Balanced reports whether every image that was found is accounted for.
func (r *Run) Balanced() bool { return r.Missing() == 0 }

// PutRun stores r, in place of an earlier record of that id, and returns once it is on disk.
func (l *Ledger) PutRun(r Run) error {
	if r.ID == "" || len(r.ID) > MaxRunID || strings.Contains(r.ID, "\x00") {
		return fmt.Errorf("the id of a run, %.140q, has %d bytes, not 1 to %d, or a NUL", r.ID, len(r.ID), MaxRunID)
	}
	value, err := json.Marshal(record{Run: &r, State: storedState(r.State)})
	if err != nil {
		return fmt.Errorf("run %s: %w", r.ID, err)
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	err = l.update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketRuns).Put([]byte(r.ID), value) })
	return fault(l.path, "keep a run", err)
}

// LookupRun returns the record of the run id, and false if there is none.
func (l *Ledger) LookupRun(id string) (Run, bool, error) {
	var r Run
	var found bool
	err := l.view(func(tx *bbolt.Tx) error {
		value := tx.Bucket(bucketRuns).Get([]byte(id))
		if value == nil {
			return nil
		}
		found = true
		return l.decodeRun(value, &r)
	})
	if err != nil {
		return Run{}, false, fault(l.path, "look up a run", err)
	}
	return r, found, nil
}

// Runs returns the records of all runs, the latest last.
func (l *Ledger) Runs() ([]Run, error) {
	var runs []Run
	err := l.view(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRuns).ForEach(func(_, value []byte) error {
			var r Run
			err := l.decodeRun(value, &r)
			runs = append(runs, r)
			return err
		})
	})
	if err != nil {
		return nil, fault(l.path, "list runs", err)
	}
	slices.SortStableFunc(runs, func(a, b Run) int {
		return cmp.Or(a.Started.Compare(b.Started), strings.Compare(a.ID, b.ID))
	})
	return runs, nil
}

func (l *Ledger) decodeRun(value []byte, r *Run) error {
	var syntax *json.SyntaxError
	stored := record{Run: r}
	err := json.Unmarshal(value, &stored)
	r.State = outcome.RunState(stored.State)
	if errors.As(err, &syntax) {
		return l.damaged("the record of a run cannot be read: %v", err)
	}
	return err
}
