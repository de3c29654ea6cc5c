package dispatch

import (
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Found with failures that a stranger made up: twelve images were dead letters after two seconds.
func TestFailureCountsOnlyForAnOpenDeliveryOfItsWorker(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(1, now)
	deliver(t, d, 1, now)
	task := d.tasks[nthID(0)]
	for name, r := range map[string]wire.Receipt{
		"of another worker":        {Worker: "v", Delivery: 1},
		"of a delivery to come":    {Worker: "w", Delivery: 2},
		"of another, unnumbered":   {Worker: "v"},
		"of nobody, of delivery 1": {Delivery: 1},
	} {
		if d.RecordFailure(nthID(0), &r, now); task.failures != 0 || task.state != leased {
			t.Errorf("%s: the task is %s with %d failures", name, task.state, task.failures)
		}
	}
	right := &wire.Receipt{Worker: "w", Delivery: 1}
	d.RecordFailure(nthID(0), right, now)
	d.RecordFailure(nthID(0), right, now)
	if task.failures != 1 || task.state != backingOff {
		t.Errorf("the task is %s with %d failures", task.state, task.failures)
	}
	now = now.Add(time.Hour)
	d.AdvanceTime(now, time.Time{})
	d.readEverything()
	d.Assign(now)
	if d.RecordFailure(nthID(0), right, now); task.failures != 1 {
		t.Error("a replayed failure of an earlier delivery counts")
	}
}

func TestFailureAfterTheSinkHadTheResultCounts(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(1, now)
	deliver(t, d, 1, now)
	d.ReleaseWorker(nthID(0), "w", "first", now)
	d.RecordFailure(nthID(0), &wire.Receipt{Worker: "w", Delivery: 1}, now) // the sink could not write its outputs
	if task := d.tasks[nthID(0)]; task.failures != 1 || task.state != backingOff {
		t.Errorf("the task is %s with %d failures", task.state, task.failures)
	}
}

func TestTasksThatResultsWithoutATicketSettledAreCounted(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	d.addN(2, now)
	d.Settle(&wire.Receipt{Outcome: outcome.Done, Unproven: true}, nthID(0))
	d.Settle(&wire.Receipt{Outcome: outcome.Rejected}, nthID(1))
	if got := d.Counts(); got.Unproven != 1 || got.Done != 1 || got.Rejected != 1 {
		t.Errorf("%+v", got)
	}
}

func TestHeartbeatIsBelievedOnlyOfTheTokenThatItsWorkerAnnounced(t *testing.T) {
	d, now := newTestDispatcher(nil), time.Now()
	w := wire.WorkerIdentity{Name: "w", Slots: 1, Prefetch: 1, Token: wire.NewToken()}
	d.AddPeer(1, w.String(), w.Proof())
	d.addN(1, now)
	d.readEverything()
	d.Assign(now)
	task := d.tasks[nthID(0)]
	lease := task.deadline
	forged := wire.WorkerIdentity{Token: wire.NewToken()}.Proof()
	for _, proof := range []string{"", forged} {
		d.RecordHeartbeat(&wire.Heartbeat{Worker: "w", Proof: proof, Draining: true, Held: []string{nthID(0).String()},
			Returned: []string{nthID(0).String()}}, now.Add(time.Second))
		if d.peers[1].draining || !task.Held() || !task.deadline.Equal(lease) {
			t.Errorf("a heartbeat with the proof %q counts", proof)
		}
	}
	d.RecordHeartbeat(&wire.Heartbeat{Worker: "w", Proof: w.Proof(), Draining: true, Held: []string{nthID(0).String()}},
		now.Add(time.Second))
	if !d.peers[1].draining || task.deadline.Equal(lease) {
		t.Error("its own heartbeat does not count")
	}
}
