package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// strictStage is a sink that refuses strangers, with a run whose key is registered and a worker that announced itself.
type strictStage struct {
	*stage
	run     *wire.Run
	key     []byte
	tickets *wire.Tickets
	worker  wire.WorkerIdentity
	results *zsock.Push // the worker's
}

func newStrictStage(t *testing.T) *strictStage {
	s := &strictStage{
		stage:  newStageWith(t, func(c *Config) { c.RefuseStrangers = true }),
		run:    &wire.Run{ID: "r", State: outcome.Running, Started: time.Now(), Recipe: recipe.Default().String()},
		key:    wire.NewRunKey(),
		worker: wire.WorkerIdentity{Name: "w1", Slots: 1, Prefetch: 4, Token: wire.NewToken()},
	}
	s.tickets = wire.NewTickets(wire.TicketKey(s.key))
	s.client.UseRunKey(s.key)
	s.tell(s.run)
	s.results = s.connect(s.worker)
	s.await(wire.TopicWorkerSeen)
	return s
}

// connect returns a socket of a worker with that identity.
func (s *strictStage) connect(w wire.WorkerIdentity) *zsock.Push {
	s.t.Helper()
	identity := w.String()
	if w.Name == "" {
		identity = ""
	}
	push, err := zsock.NewPush(zsock.Config{Network: s.sink.cfg.Network, Identity: identity})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := push.Dial("inproc://results"); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := push.Close(ctx); err != nil {
			s.t.Error(err)
		}
	})
	return push
}

func (s *strictStage) sendBy(push *zsock.Push, m []byte) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	if err := push.Send(ctx, zsock.Message{m}); err != nil {
		s.t.Fatal(err)
	}
}

// result returns the n-th result of the worker, with its ticket.
func (s *strictStage) result(n int) *wire.Result {
	r := &wire.Result{ID: idOf(n), Filename: fmt.Sprintf("d/%d.jpg", n), Outcome: outcome.Done,
		ResultInfo: wire.ResultInfo{Worker: "w1", Run: "r", Delivery: 1, Recipe: s.run.Recipe}}
	for _, name := range recipe.Default().OutputNames(r.Filename) {
		r.Outputs = append(r.Outputs, wire.Output{Name: name, Width: 1, Height: 1, Data: []byte("pixels")})
	}
	s.sign(r)
	return r
}

func (s *strictStage) sign(r *wire.Result) {
	r.Ticket = s.tickets.Of(wire.TicketOf{ID: r.ID, Filename: r.Filename, Recipe: r.Recipe, Delivery: r.Delivery,
		Proof: s.worker.Proof()})
}

// awaitRefused waits until the sink has refused n messages.
func (s *strictStage) awaitRefused(n uint64) {
	s.t.Helper()
	again := time.NewTicker(time.Millisecond) // no event tells of a refusal
	defer again.Stop()
	for deadline := time.Now().Add(10 * time.Second); s.sink.Status().Refused < n; <-again.C {
		if time.Now().After(deadline) {
			s.t.Fatalf("%d messages are refused, not %d", s.sink.Status().Refused, n)
		}
	}
}

func (s *strictStage) files() (names []string) {
	_ = filepath.WalkDir(s.out, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, ".imagefarm") {
			names = append(names, path)
		}
		return nil
	})
	return names
}

func TestForgedResultsWriteAndBookNothing(t *testing.T) {
	s := newStrictStage(t)
	stranger, impostor := s.connect(wire.WorkerIdentity{}), s.connect(wire.WorkerIdentity{Name: "w1", Slots: 1,
		Prefetch: 1, Token: wire.NewToken()})
	forged := map[string]func(r *wire.Result) *zsock.Push{
		"no ticket":           func(r *wire.Result) *zsock.Push { r.Ticket = ""; return s.results },
		"a ticket of its own": func(r *wire.Result) *zsock.Push { r.Ticket = wire.BlankTicket(); return s.results },
		"another id":          func(r *wire.Result) *zsock.Push { r.ID = idOf(99); return s.results },
		"another file":        func(r *wire.Result) *zsock.Push { r.Filename = "d/victim.jpg"; return s.results },
		"another delivery":    func(r *wire.Result) *zsock.Push { r.Delivery = 2; return s.results },
		"another recipe":      func(r *wire.Result) *zsock.Push { r.Recipe += ";x=fit:1x1"; return s.results },
		"another run":         func(r *wire.Result) *zsock.Push { r.Run = "other"; return s.results },
		"a stranger's":        func(r *wire.Result) *zsock.Push { return stranger },
		"of another w1":       func(r *wire.Result) *zsock.Push { return impostor },
		"another's output": func(r *wire.Result) *zsock.Push {
			r.Outputs[0].Name = "d/victim_thumbnail64.jpg"
			return s.results
		},
		"an output twice": func(r *wire.Result) *zsock.Push { r.Outputs[1].Name = r.Outputs[0].Name; return s.results },
		"a private file":  func(r *wire.Result) *zsock.Push { r.Outputs[0].Name = "private.txt"; return s.results },
		"failed without ticket": func(r *wire.Result) *zsock.Push {
			r.Outcome, r.Ticket = outcome.Failed,
				""
			return s.results
		},
		"rejected by a stranger": func(r *wire.Result) *zsock.Push {
			r.Outcome, r.Reason = outcome.Rejected, outcome.Corrupt
			return stranger
		},
	}
	refused := uint64(0)
	for name, forge := range forged {
		r := s.result(1)
		s.sendBy(forge(r), r.Encode())
		refused++
		if s.awaitRefused(refused); len(s.files()) > 0 {
			t.Errorf("%s: it wrote %v", name, s.files())
		}
	}
	s.sendBy(stranger, wire.EncodeBareName("d/1_thumbnail64.jpg"))
	s.awaitRefused(refused + 1)
	if status := s.sink.Status(); status.Settled != 0 || status.Failed != 0 {
		t.Errorf("%+v", status)
	}
	s.sendBy(s.results, s.result(1).Encode())
	if r := s.await(wire.TopicTaskDone).(*wire.Receipt); r.Worker != "w1" || len(s.files()) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestReplayedResultWritesNothing(t *testing.T) {
	s := newStrictStage(t)
	s.sendBy(s.results, s.result(1).Encode())
	s.await(wire.TopicTaskDone)
	for _, path := range s.files() {
		if err := os.WriteFile(path, []byte("latest"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again := s.result(1)
	again.Outputs[0].Data = []byte("forged")
	s.sendBy(s.results, again.Encode())
	if r := s.await(wire.TopicTaskDone).(*wire.Receipt); !r.Duplicate {
		t.Errorf("%+v", r)
	}
	for _, path := range s.files() {
		if b, err := os.ReadFile(path); err != nil || string(b) != "latest" {
			t.Errorf("%s is %q, %v", path, b, err)
		}
	}
}

func TestResultThatIsNotDoneWritesNoOutputs(t *testing.T) {
	s := newStage(t)
	r := done(1)
	r.Outcome, r.Reason = outcome.Rejected, outcome.Corrupt
	s.send(r.Encode())
	s.await(wire.TopicTaskRejected)
	if _, err := os.Stat(filepath.Join(s.out, "d")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its outputs: %v", err)
	}
}

func TestStrangersResultReplacesNoOutputOfAnotherImage(t *testing.T) {
	s := newStage(t)
	s.send(done(1).Encode())
	s.await(wire.TopicTaskDone)
	forged := done(2)
	forged.Outputs[0].Name = done(1).Outputs[0].Name
	s.send(forged.Encode())
	s.send(done(3).Encode())
	if r := s.await(wire.TopicTaskDone).(*wire.Receipt); r.ID != idOf(3) || s.sink.Status().Refused != 1 {
		t.Errorf("%+v", r)
	}
}

func TestReceiptSaysThatItsResultHadNoTicket(t *testing.T) {
	open := newStage(t)
	open.send(done(1).Encode())
	if r := open.await(wire.TopicTaskDone).(*wire.Receipt); !r.Unproven {
		t.Errorf("of a result without a ticket: %+v", r)
	}
	strict := newStrictStage(t)
	strict.sendBy(strict.results, strict.result(1).Encode())
	if r := strict.await(wire.TopicTaskDone).(*wire.Receipt); r.Unproven {
		t.Errorf("of one with its ticket: %+v", r)
	}
}

// Found with {worker: w1, draining: true}, after which the real w1 got no task any more.
func TestHeartbeatSpeaksOnlyForItsConnection(t *testing.T) {
	s := newStrictStage(t)
	forged := &wire.Heartbeat{Worker: "w1", Slots: 1, Draining: true}
	s.sendBy(s.connect(wire.WorkerIdentity{}), forged.Encode())
	s.sendBy(s.connect(wire.WorkerIdentity{Name: "w2", Slots: 1, Prefetch: 1, Token: wire.NewToken()}), forged.Encode())
	s.awaitRefused(2)
	forged.Proof = s.worker.Proof() // public in events
	s.sendBy(s.connect(wire.WorkerIdentity{Name: "w1", Slots: 1, Prefetch: 1, Token: wire.NewToken()}), forged.Encode())
	if h := s.await(wire.TopicWorkerHeartbeat).(*wire.Heartbeat); h.Proof == s.worker.Proof() {
		t.Error("an impostor has the proof of w1")
	}
	s.sendBy(s.results, (&wire.Heartbeat{Worker: "w1", Slots: 1}).Encode())
	if h := s.await(wire.TopicWorkerHeartbeat).(*wire.Heartbeat); h.Proof != s.worker.Proof() {
		t.Errorf("the proof of w1 is %q", h.Proof)
	}
	for _, w := range s.sink.Status().Workers {
		if w.Worker == "w1" && w.Draining {
			t.Error("w1 is listed as draining")
		}
	}
}

// Found: one connection that called itself w1, with a token of its own, had 7,000 heartbeats a second published.
func TestConnectionSendsFewHeartbeats(t *testing.T) {
	a, now := newAdmission(newStrictStage(t).sink.core), time.Now()
	beat := func(id zsock.PeerID, at time.Time) error {
		w := wire.WorkerIdentity{Name: "w1", Slots: 1, Prefetch: 1, Token: fmt.Sprint("token ", id)}
		from := a.sender(zsock.PeerInfo{ID: id, Identity: w.String()})
		return a.heartbeat(&wire.Heartbeat{Worker: "w1", Slots: 1}, from, at)
	}
	count := func(at time.Time) (admitted int) {
		for range 10 * maxBeats {
			if err := beat(1, at); err == nil {
				admitted++
			} else if !errors.Is(err, errTooManyBeats) {
				t.Fatal(err)
			}
		}
		return admitted
	}
	if n := count(now); n != maxBeats {
		t.Errorf("%d heartbeats of one moment are admitted, not %d", n, maxBeats)
	}
	if n := count(now.Add(time.Second)); n != beatsPerSecond {
		t.Errorf("%d heartbeats of the next second are admitted, not %d", n, beatsPerSecond)
	}
	for i := range 3 * maxBeats { // another sends one a second
		if err := beat(2, now.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunBelongsToItsFirstCaller(t *testing.T) {
	s := newStrictStage(t)
	dead := wire.Receipt{ID: idOf(7), Run: "r", Filename: "a.jpg", Outcome: outcome.Dead}
	refused := func(what string, err error) {
		t.Helper()
		var refused *sinkclient.RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, key := range map[string][]byte{"another key": wire.NewRunKey(), "no key": nil, "a short key": {1}} {
		s.client.UseRunKey(key)
		_, err := s.client.TellRun(t.Context(), s.run)
		refused(what, err)
		_, err = s.client.Settle(t.Context(), []wire.Receipt{dead})
		refused(what+" settles", err)
	}
	s.sink.runs.mu.Lock()
	clear(s.sink.runs.byID) // as after a restart
	s.sink.runs.mu.Unlock()
	s.client.UseRunKey(wire.NewRunKey())
	_, err := s.client.TellRun(t.Context(), s.run)
	refused("another key after a restart", err)
	s.sendBy(s.results, s.result(1).Encode()) // before its ventilator has called again
	s.await(wire.TopicTaskDone)

	s.client.UseRunKey(s.key)
	s.tell(s.run)
	if _, err := s.client.Settle(t.Context(), []wire.Receipt{dead}); err != nil {
		t.Error(err)
	}
	ended := *s.run
	ended.State, ended.Ended = outcome.Finished, time.Now()
	s.tell(&ended)
	record, _, err := s.ledger.LookupRun("r")
	if err != nil || record.TicketKey != "" {
		t.Errorf("the ledger keeps the key of an ended run: %v", err)
	}
	s.client.UseRunKey(wire.NewRunKey()) // another run of the same name
	s.tell(&wire.Run{ID: "r", State: outcome.Running, Started: time.Now()})
}

func TestSettlementNamesOnlyWhatTheRecipeMakes(t *testing.T) {
	s := newStage(t)
	s.client.UseRunKey(wire.NewRunKey())
	s.tell(&wire.Run{ID: "r", State: outcome.Running, Started: time.Now(), Recipe: recipe.Default().String()})
	if err := os.WriteFile(filepath.Join(s.out, "private.txt"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	settle := func(name string) error {
		_, err := s.client.Settle(t.Context(), []wire.Receipt{{ID: idOf(1), Run: "r", Filename: "a.jpg",
			Outcome:  outcome.Done,
			Stranger: true, Outputs: []wire.OutputInfo{{Name: name}}}})
		return err
	}
	for _, name := range []string{"../victim.txt", "a\nb", "private.txt", "b_thumbnail64.jpg", ""} {
		var refused *sinkclient.RefusedError
		if err := settle(name); !errors.As(err, &refused) {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"a_thumbnail64.jpg", "a.jpg_thumbnail64.jpg"} {
		if err := settle(name); err != nil {
			t.Error(err)
		}
	}
	id, _ := taskid.Parse(idOf(1))
	if e, ok, err := s.ledger.Lookup(id); !ok || err != nil || e.Outputs[0].Name != "a_thumbnail64.jpg" {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestOutputsThatWentMissingAreWrittenAgain(t *testing.T) {
	s := newStrictStage(t)
	s.sendBy(s.results, s.result(1).Encode())
	s.await(wire.TopicTaskDone)
	if err := os.RemoveAll(filepath.Join(s.out, "d")); err != nil {
		t.Fatal(err)
	}
	s.sendBy(s.results, s.result(1).Encode())
	if r := s.await(wire.TopicTaskDone).(*wire.Receipt); !r.Duplicate || len(s.files()) != 3 {
		t.Errorf("%+v, %v", r, s.files())
	}
}

func TestLaterRunOfTheSameNameWritesAgain(t *testing.T) {
	s := newStrictStage(t)
	s.sendBy(s.results, s.result(1).Encode())
	s.await(wire.TopicTaskDone)
	ended := *s.run
	ended.State, ended.Ended = outcome.Finished, time.Now()
	s.tell(&ended)
	s.tell(&wire.Run{ID: "r", State: outcome.Running, Started: time.Now().Add(time.Second), Recipe: s.run.Recipe})
	again := s.result(1)
	again.Outputs[0].Data = []byte("other")
	s.sendBy(s.results, again.Encode())
	s.await(wire.TopicTaskDone)
	b, err := os.ReadFile(filepath.Join(s.out, filepath.FromSlash(again.Outputs[0].Name)))
	if err != nil || string(b) != "other" {
		t.Errorf("%q, %v", b, err)
	}
}
