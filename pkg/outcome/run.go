package outcome

// RunState is how far a run has come, or how far an operator wants it to go.
type RunState string

// The states of a run. An operator may ask for Running, Paused and Cancelled.
const (
	Running     RunState = "running"     // it hands out tasks
	Watching    RunState = "watching"    // as Running, and it goes on when all is settled, to wait for new images
	Paused      RunState = "paused"      // an operator paused it; workers finish what they hold
	Draining    RunState = "draining"    // it hands out nothing more and waits for what workers hold
	Cancelled   RunState = "cancelled"   // an operator wants it to drain and end; it ends as Interrupted
	Finished    RunState = "finished"    // every image found is settled
	Interrupted RunState = "interrupted" // it ended before every image found was settled
	Stalled     RunState = "stalled"     // it ended because no task was settled for too long
	DryRun      RunState = "dry run"     // it only listed what a run would do
)

// Steers reports whether an operator may ask for s.
func (s RunState) Steers() bool { return s == Running || s == Paused || s == Cancelled }

// Known reports whether s is one of the states above.
func (s RunState) Known() bool {
	switch s {
	case Running, Watching, Paused, Draining, Cancelled, Finished, Interrupted, Stalled, DryRun:
		return true
	}
	return false
}
