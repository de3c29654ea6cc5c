// Package bottleneck says in words what bounds a farm's speed: whether more workers would help, or a faster disk, or
// nothing at all.
//
// It looks at a wire.Status alone, so that the live page and the command line say the same.
package bottleneck

import (
	"cmp"
	"fmt"
	"time"

	"github.com/imagefarm/imagefarm/pkg/numfmt"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Kind names what bounds the farm.
type Kind string

// The kinds. Reading, Compute, Balanced and Writing are about speed; the others say why there is none.
const (
	Nothing     Kind = "nothing"     // the sink has seen no run
	Finished    Kind = "finished"    // the last run ended with everything accounted for
	Interrupted Kind = "interrupted" // the last run ended before its images were settled
	Paused      Kind = "paused"      // an operator paused every live run
	Trouble     Kind = "trouble"     // the sink cannot do its work
	Waiting     Kind = "waiting"     // there are images and no worker
	Measuring   Kind = "measuring"   // the run is too young for a verdict
	Ending      Kind = "ending"      // fewer images are left than there are slots
	Reading     Kind = "reading"     // workers wait for images
	Compute     Kind = "compute"     // images wait for workers
	Balanced    Kind = "balanced"    // both wait a little
	Writing     Kind = "writing"     // results wait for the sink
)

// Verdict says what bounds a farm.
type Verdict struct {
	Kind Kind `json:"kind"`
	// Text is one sentence for people, without a full stop at its end, such as
	// "reading-bound: workers idle 61 %; more workers will not help".
	Text string `json:"text"`
	// Idle is the share of slot time without a task, 0 to 1; nil: unknown.
	Idle *float64 `json:"idle,omitempty"`
	// Bad says that an operator should look at the farm.
	Bad bool `json:"bad"`
}

// The shares of idle slot time between which a farm counts as balanced.
const (
	busyBelow = 0.10
	idleAbove = 0.25
)

// leastSpan is the shortest time between two statuses that Find compares: workers send a heartbeat once a second.
const leastSpan = 2 * time.Second

// commitLatency is how long a result usually waits for its commit. Until then its task counts as leased.
const commitLatency = 250 * time.Millisecond

// Find returns what bounds the farm of the status now. before is an earlier status of the same sink, best some ten
// seconds older: Find compares the two. If before is nil or another sink's, Find counts the slots that are busy now.
func Find(now, before *wire.Status) Verdict {
	live := liveRuns(now)
	crew := crewOf(now)
	switch {
	case now.Trouble != "":
		return Verdict{
			Kind: Trouble,
			Text: "the sink cannot write: " + cmp.Or(now.TroubleKind.Sentence(), now.Trouble),
			Bad:  true,
		}
	case len(live) == 0 && (now.Throughput.ImagesPerSecond == 0 || justEnded(now)):
		return ended(now, crew)
	case len(live) > 0 && allPaused(live):
		return Verdict{Kind: Paused, Text: "paused by an operator; nothing is handed out until resume"}
	}
	left, peers := leftOf(live)
	if crew.workers == 0 {
		return withoutCrew(len(live), left, peers)
	}
	idle, known := idleShare(now, before)
	v := Verdict{}
	if known {
		v.Idle = &idle
	}
	leased := leasedOf(live)
	switch {
	case len(live) > 0 && left == 0:
		v.Kind, v.Text = Ending, "ending: every image found is settled"
	case len(live) > 0 && left <= leased && left < int64(crew.slots):
		v.Kind = Ending
		v.Text = fmt.Sprintf("ending: %s still at work; some slots have nothing left to do", areImages(left))
	case !known:
		v.Kind, v.Text = Measuring, "measuring: a few seconds more are needed to tell"
	case idle < busyBelow:
		v.Kind = Compute
		v.Text = fmt.Sprintf("compute-bound: slots are busy %s of the time%s; more processors will help",
			numfmt.Percent(1-idle), mostly(now, before))
	case idle < idleAbove:
		v.Kind, v.Text = Balanced, fmt.Sprintf(
			"balanced: workers idle %s; more of them will help little",
			numfmt.Percent(idle),
		)
	case float64(leased) > float64(crew.prefetch)+now.Throughput.ImagesPerSecond*commitLatency.Seconds():
		v.Kind = Writing
		v.Text = fmt.Sprintf("writing-bound: workers idle %s while %s results wait for the sink; more workers will not help",
			numfmt.Percent(idle), numfmt.Count(leased))
	default:
		v.Kind = Reading
		v.Text = fmt.Sprintf("reading-bound: workers idle %s; more workers will not help", numfmt.Percent(idle))
	}
	return v
}

// ended is the verdict on a farm without a live run.
func ended(s *wire.Status, crew crew) Verdict {
	if len(s.Runs) == 0 {
		if crew.workers > 0 {
			return Verdict{Kind: Nothing, Text: fmt.Sprintf("nothing to do: %s for a run", waitWorkers(crew.workers))}
		}
		return Verdict{Kind: Nothing, Text: "nothing to do: no run and no worker has come yet"}
	}
	last := s.Runs[0]
	for _, r := range s.Runs[1:] {
		if r.Ended.After(last.Ended) {
			last = r
		}
	}
	missing := last.Unsettled()
	left := leftOfRun(&last)
	switch {
	case last.State == outcome.Finished && missing == 0:
		return Verdict{Kind: Finished, Text: "finished: " + accounted(last.Found)}
	case last.State == outcome.Finished:
		return Verdict{Kind: Interrupted, Bad: true,
			Text: fmt.Sprintf("finished, but %s not accounted for", areImages(missing))}
	case last.State == outcome.Stalled:
		return Verdict{Kind: Interrupted, Bad: true,
			Text: fmt.Sprintf("stalled: %s left; run it again and it goes on from there", areImages(left))}
	}
	return Verdict{Kind: Interrupted, Bad: true,
		Text: fmt.Sprintf("interrupted: %s left; run it again and it goes on from there", areImages(left))}
}

// justEnded reports whether the throughput is still that of a run that has ended.
func justEnded(s *wire.Status) bool {
	for i := range s.Runs {
		if since := s.Now.Sub(s.Runs[i].Ended); since >= -leastSpan && since < leastSpan {
			return true
		}
	}
	return false
}

func withoutCrew(runs int, left int64, peers int) Verdict {
	switch {
	case runs == 0:
		return Verdict{Kind: Measuring, Text: "results come from workers that tell nothing of themselves"}
	case left == 0:
		return Verdict{Kind: Ending, Text: "ending: every image found is settled"}
	case peers > 0:
		return Verdict{Kind: Measuring, Text: fmt.Sprintf("%d workers that tell nothing of themselves are at work", peers)}
	}
	return Verdict{Kind: Waiting, Bad: true,
		Text: fmt.Sprintf("waiting for workers: %s left and no worker is connected", areImages(left))}
}

func liveRuns(s *wire.Status) (live []wire.Run) {
	for _, r := range s.Runs {
		if r.Ended.IsZero() {
			live = append(live, r)
		}
	}
	return live
}

func allPaused(runs []wire.Run) bool {
	for _, r := range runs {
		if r.State != outcome.Paused {
			return false
		}
	}
	return true
}

// leftOf returns how many images are still to be settled, as far as is known, and how many workers are connected to
// ventilators.
func leftOf(runs []wire.Run) (left int64, peers int) {
	for i := range runs {
		left += leftOfRun(&runs[i])
		peers = max(peers, runs[i].Peers)
	}
	return left, peers
}

// leftOfRun returns how many images of a run are unsettled. It includes images that a drain left, which do not count
// as found.
func leftOfRun(r *wire.Run) int64 { return max(r.Total, r.Found) - r.Settled() }

func leasedOf(runs []wire.Run) (leased int64) {
	for _, r := range runs {
		leased += r.Leased
	}
	return leased
}

// crew sums up the workers that are connected and take tasks.
// prefetch is what they hold together unless they were told otherwise.
type crew struct{ workers, slots, prefetch int }

func crewOf(s *wire.Status) (c crew) {
	for i := range s.Workers {
		if w := &s.Workers[i]; !w.Lost && !w.Draining {
			c.workers++
			c.slots += w.Slots
			c.prefetch += wire.DefaultPrefetch(w.Slots)
		}
	}
	return c
}

// idleShare returns the share of slot time without a task: between the statuses, or now if there is no earlier one.
func idleShare(now, before *wire.Status) (share float64, ok bool) {
	if before == nil || before.Instance != now.Instance {
		busy, slots := 0, 0
		for i := range now.Workers {
			if w := &now.Workers[i]; !w.Lost && !w.Draining {
				busy += w.Busy
				slots += w.Slots
			}
		}
		if slots == 0 {
			return 0, false
		}
		return 1 - float64(busy)/float64(slots), true
	}
	earlier := make(map[string]*wire.WorkerStatus, len(before.Workers))
	for i := range before.Workers {
		earlier[before.Workers[i].Worker] = &before.Workers[i]
	}
	var idle, all float64
	for i := range now.Workers {
		w := &now.Workers[i]
		if w.Lost || w.Draining {
			continue
		}
		if share, weight, ok := WorkerIdle(w, earlier[w.Worker]); ok {
			idle += share * weight
			all += weight
		}
	}
	if all == 0 {
		return 0, false
	}
	return idle / all, true
}

// WorkerIdle returns the share of a worker's slot time without a task since before, and that slot time in seconds; ok
// is false when the two tell nothing: no earlier word (nil), too short a time between them, or the worker began again.
func WorkerIdle(now, before *wire.WorkerStatus) (share, slotSeconds float64, ok bool) {
	if before == nil || now.Slots == 0 {
		return 0, 0, false
	}
	up, idle := now.UpUS-before.UpUS, now.IdleUS-before.IdleUS
	if time.Duration(up)*time.Microsecond < leastSpan || idle < 0 {
		return 0, 0, false
	}
	slotTime := float64(up) * float64(now.Slots)
	return min(1, float64(idle)/slotTime), slotTime / 1e6, true
}

// mostly names the stage that takes most of the slots' time, when one takes more than half.
func mostly(now, before *wire.Status) string {
	t := now.Stages
	if before != nil && before.Instance == now.Instance {
		b := before.Stages
		t.Decode, t.Transform = t.Decode-b.Decode, t.Transform-b.Transform
		t.Encode, t.Write = t.Encode-b.Encode, t.Write-b.Write
	}
	all := t.Decode + t.Transform + t.Encode + t.Write
	for _, stage := range []struct {
		name string
		time int64
	}{{"decoding", t.Decode}, {"transforming", t.Transform}, {"encoding", t.Encode}, {"writing", t.Write}} {
		if all > 0 && 2*stage.time > all {
			return fmt.Sprintf(", %s of it %s", numfmt.Percent(float64(stage.time)/float64(all)), stage.name)
		}
	}
	return ""
}

func areImages(n int64) string {
	if n == 1 {
		return "1 image is"
	}
	return numfmt.Count(n) + " images are"
}

func accounted(n int64) string {
	switch n {
	case 0:
		return "no image was found"
	case 1:
		return "the one image is accounted for"
	}
	return "all " + numfmt.Count(n) + " images are accounted for"
}

func waitWorkers(n int) string {
	if n == 1 {
		return "1 worker waits"
	}
	return fmt.Sprintf("%d workers wait", n)
}
