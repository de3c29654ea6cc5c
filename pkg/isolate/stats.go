package isolate

import (
	"cmp"
	"maps"
	"slices"
)

// Stats is what an Engine can tell about its children.
type Stats struct {
	Slots    int              // children that there should be
	Busy     int              // children with a task
	Starts   uint64           // of child processes, also those that failed
	Ended    map[Cause]uint64 // children that ended; every cause is there
	Children []ChildStats     // those that are ready, by slot
}

// ChildStats is what is known of one child.
type ChildStats struct {
	Slot    int
	PID     int
	Tasks   uint64 // begun
	Busy    bool
	Private int64 // resident memory that is its own, in bytes; 0 where the system does not tell
}

// Stats returns the present state. It reads one small file for each child.
func (e *Engine) Stats() Stats {
	children, busy := e.pool.children()
	s := Stats{Slots: e.cfg.Slots, Busy: busy}
	for _, c := range children {
		c.mu.Lock()
		cs := ChildStats{Slot: c.slot, PID: c.cmd.Process.Pid, Tasks: c.served, Busy: c.task != 0}
		c.mu.Unlock()
		cs.Private = c.gauge.read()
		s.Children = append(s.Children, cs)
	}
	slices.SortFunc(s.Children, func(a, b ChildStats) int { return cmp.Compare(a.Slot, b.Slot) })
	e.mu.Lock()
	defer e.mu.Unlock()
	s.Starts, s.Ended = e.starts, maps.Clone(e.ended)
	return s
}
