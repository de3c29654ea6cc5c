package sink

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/known"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// Found with 40 results of 30 MiB of text each: the sink kept 1.8 GB, and its log grew by as much.
func TestResultsWithLongTextsAreDropped(t *testing.T) {
	s := newStage(t)
	long := strings.Repeat("x", 1<<20)
	for name, spoil := range map[string]func(*wire.Result){
		"reason":  func(r *wire.Result) { r.Outcome, r.Reason = outcome.Failed, outcome.Reason(long) },
		"format":  func(r *wire.Result) { r.Format = long },
		"detail":  func(r *wire.Result) { r.Detail = long },
		"dropped": func(r *wire.Result) { r.Dropped = []string{long} },
		"warning": func(r *wire.Result) { r.Warnings = outcome.Warnings{long} },
		"variant": func(r *wire.Result) { r.Refused = []wire.RefusedVariant{{Variant: long, Reason: outcome.Corrupt}} },
		"because": func(r *wire.Result) { r.Refused = []wire.RefusedVariant{{Variant: "x", Reason: "ugly"}} },
		"camera":  func(r *wire.Result) { r.Known = &known.Facts{Camera: long} },
		"outcome": func(r *wire.Result) { r.Outcome = outcome.Outcome(long) },
		"name":    func(r *wire.Result) { r.Outputs[0].Name = long },
	} {
		bad := done(1)
		spoil(bad)
		if _, err := wire.DecodeFromWorker(bad.Encode()); err == nil || len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d bytes", name, len(fmt.Sprint(err)))
		}
		s.send(bad.Encode())
	}
	s.send(done(2).Encode())
	s.await(wire.TopicTaskDone)
}

func TestLongDetailIsCut(t *testing.T) {
	r := done(1)
	r.Outcome, r.Outputs, r.Detail = outcome.Failed, nil, strings.Repeat("é", wire.MaxDetail)
	m, err := wire.DecodeFromWorker(r.Encode())
	if err != nil || len(m.Result.Detail) != wire.MaxDetail {
		t.Errorf("%d bytes, %v", len(m.Result.Detail), err)
	}
}

// Found with 10,000 names: the status had more values than a message may have.
func TestInventedWorkersDoNotFillTheRoster(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newState(&Config{}, now, "test")
	s.connect(wire.WorkerIdentity{Name: "good", Slots: 2, Prefetch: 4}, now)
	for i := range 2 * maxUnannounced {
		s.heartbeat(&wire.Heartbeat{Worker: fmt.Sprint("invented ", i)}, now)
	}
	if n := len(s.roster.workers); n > maxUnannounced+1 {
		t.Errorf("%d workers are listed", n)
	}
	for i := range maxMembers + 200 { // each beyond the bound looks through the whole roster
		name := fmt.Sprint("announced ", i)
		w := wire.WorkerIdentity{Name: name, Slots: 1, Prefetch: 1}
		s.connect(w, now)
		s.disconnect(w)
	}
	if n := len(s.roster.workers); n > maxMembers || s.roster.workers["good"] == nil {
		t.Errorf("%d workers are listed, the good one: %v", n, s.roster.workers["good"] != nil)
	}
}

func TestStatusIsAskedForPageByPage(t *testing.T) {
	s := newStage(t)
	const n = 2*wire.MaxWorkers + 7
	now := time.Now()
	for i := range n {
		s.sink.state.connect(wire.WorkerIdentity{Name: fmt.Sprintf("w%05d", i), Slots: 1, Prefetch: 1}, now)
	}
	status, err := s.client.Status(t.Context())
	if err != nil || len(status.Workers) != n {
		t.Fatalf("%v", err)
	}
	for i, w := range status.Workers {
		if w.Worker != fmt.Sprintf("w%05d", i) {
			t.Fatalf("worker %d is %q", i, w.Worker)
		}
	}
}

// Found with 1,200 runs in ten seconds: the ledger grew by 42 MB.
func TestInventedRunsAreBounded(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	l := newLiveRuns()
	good := wire.Run{ID: "good", Started: begun}
	tell := func(run wire.Run, now time.Time) error {
		err := l.admit(&run, caller{}, now)
		if err == nil {
			l.update(run, caller{}, now)
		}
		return err
	}
	if err := tell(good, begun); err != nil {
		t.Fatal(err)
	}
	admitted := 0
	for i := range 1200 {
		now := begun.Add(time.Duration(i) * 10 * time.Second / 1200)
		run := wire.Run{ID: fmt.Sprint("invented ", i), Started: now, Ended: now}
		if tell(run, now) == nil {
			admitted++
		}
	}
	if admitted > maxNewRuns+10*newRunsPerSecond {
		t.Errorf("%d of 1200 runs were admitted", admitted)
	}
	if len(l.byID) > maxRuns || l.byID["good"] == nil {
		t.Errorf("%d runs are in memory, the good one: %v", len(l.byID), l.byID["good"] != nil)
	}
	if err := tell(good, begun.Add(10*time.Second)); err != nil {
		t.Error(err)
	}
	later := begun.Add(time.Hour)
	for i := range maxRuns { // live ones: none of them makes room for another
		_ = tell(wire.Run{ID: fmt.Sprint("live ", i), Started: later}, later)
	}
	if err := tell(wire.Run{ID: "one more", Started: later}, later.Add(time.Hour)); err == nil || l.byID["good"] == nil {
		t.Errorf("another live run: %v", err)
	}
}

// Found with 31 runs whose states had 15 MiB each: the sink took 1.85 GB.
func TestRunsWithLongTextsAreRefused(t *testing.T) {
	s := newStage(t)
	long := strings.Repeat("x", 900<<10)
	for name, spoil := range map[string]func(*wire.Run){
		"state":   func(r *wire.Run) { r.State = outcome.RunState(long) },
		"inputs":  func(r *wire.Run) { r.Inputs = []string{long} },
		"recipe":  func(r *wire.Run) { r.Recipe = long },
		"host":    func(r *wire.Run) { r.Host = long },
		"waiting": func(r *wire.Run) { r.Waiting = long },
		"missing": func(r *wire.Run) { r.Missing = []string{long} },
		"left":    func(r *wire.Run) { r.LeftOut = map[string]int64{long: 1} },
	} {
		run := &wire.Run{ID: "r", State: outcome.Running, Started: time.Now()}
		spoil(run)
		var refused *sinkclient.RefusedError
		if _, err := s.client.TellRun(t.Context(), run); !errors.As(err, &refused) || len(err.Error()) > 300 {
			t.Errorf("%s: %d bytes of error", name, len(fmt.Sprint(err)))
		}
		run.Trim()
		if name != "state" {
			if _, err := s.client.TellRun(t.Context(), run); err != nil {
				t.Errorf("%s, trimmed: %v", name, err)
			}
		}
	}
}

// Found: a run that had begun in the year 73 billion kept status --json and the live page from everybody.
func TestRunsWithImpossibleTimesAndCountsAreRefused(t *testing.T) {
	s := newStage(t)
	for name, spoil := range map[string]func(*wire.Run){
		"far start":       func(r *wire.Run) { r.Started = time.Unix(1<<61, 0) },
		"early start":     func(r *wire.Run) { r.Started = time.Unix(-1<<61, 0) },
		"year 0":          func(r *wire.Run) { r.Started = time.Date(0, 12, 31, 0, 0, 0, 0, time.UTC) },
		"year 9999":       func(r *wire.Run) { r.Ended = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
		"negative count":  func(r *wire.Run) { r.Pending = -1 },
		"count":           func(r *wire.Run) { r.Found = 1 << 62 },
		"negative of one": func(r *wire.Run) { r.LeftOut = map[string]int64{"devices": -1} },
		"negative work":   func(r *wire.Run) { r.WorkUS = -1 },
	} {
		run := &wire.Run{ID: "r", State: outcome.Running, Started: time.Now()}
		spoil(run)
		var refused *sinkclient.RefusedError
		if _, err := s.client.TellRun(t.Context(), run); !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, at := range []time.Time{{}, time.Date(9998, 12, 31, 23, 59, 59, 0, time.UTC)} {
		run := &wire.Run{ID: fmt.Sprint("r", at.Year()), State: outcome.Running, Started: at, Ended: at}
		if _, err := s.client.TellRun(t.Context(), run); err != nil {
			t.Error(err)
		}
	}
	status, err := s.client.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(status); err != nil || len(status.Runs) != 2 {
		t.Errorf("%d runs, %v", len(status.Runs), err)
	}
}

func TestRunsAreAskedForPageByPage(t *testing.T) {
	s := newStage(t)
	begun := time.Now()
	const n = 2*wire.MaxRuns + 3
	for i := range n {
		r := wire.Run{ID: fmt.Sprint("r", i), State: outcome.Finished, Started: begun.Add(time.Duration(i/2) * time.Second),
			Ended: begun, Recipe: strings.Repeat("r", 10_000)}
		if err := s.ledger.PutRun(runRecord(&r)); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.client.Runs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range runs {
		seen[r.ID] = true
	}
	if len(runs) != n || len(seen) != n {
		t.Errorf("%d runs, %d different ones of %d", len(runs), len(seen), n)
	}
}

// An address that invents runs leaves room for the runs of others.
func TestRunsOfOneCallerAreBounded(t *testing.T) {
	now := time.Now()
	l := newLiveRuns()
	begin := func(id, account string) bool {
		run := wire.Run{ID: id, State: outcome.Running, Started: now}
		if l.admit(&run, caller{account: account}, now) != nil {
			return false
		}
		l.update(run, caller{account: account}, now)
		return true
	}
	admitted := 0
	for i := range 2 * maxRuns {
		if begin(fmt.Sprint("invented ", i), "192.0.2.1") {
			admitted++
		}
	}
	if admitted != maxRunsOfOne {
		t.Errorf("%d runs of one address are admitted, not %d", admitted, maxRunsOfOne)
	}
	for i, account := range []string{"192.0.2.2", "ventilator/v1", ""} {
		if !begin(fmt.Sprint("honest ", i), account) {
			t.Errorf("%q has no room left", account)
		}
	}
	now = now.Add(time.Hour)
	if begin("one more", "192.0.2.1") {
		t.Error("an address has more live runs than it may have")
	}
	for i := range 10 * maxCallers {
		begin("x", fmt.Sprint(i))
	}
	if len(l.newRunsOf) > maxCallers {
		t.Errorf("%d callers are remembered", len(l.newRunsOf))
	}
}
