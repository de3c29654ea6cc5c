package isolate

import (
	"cmp"
	"maps"
	"slices"
)

// Stats says how an Engine and its children are doing.
type Stats struct {
	Slots    int              // children that the Engine keeps running
	Busy     int              // children with a task
	Starts   uint64           // attempts to start a child process
	Ended    map[Cause]uint64 // children that ended, by cause; every cause is a key
	Children []ChildStats     // ready children, by slot
}

// ChildStats describes one child.
type ChildStats struct {
	Slot    int
	PID     int
	Tasks   uint64 // tasks sent to the child
	Busy    bool
	Private int64 // resident private memory in bytes; 0 where the system does not tell
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
