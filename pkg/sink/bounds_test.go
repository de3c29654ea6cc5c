package sink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

// Found with a recipe of 64 variants: what the sink knew of a batch of tasks had more values than a message may
// have, and the next run asked again for ever.
func TestAnswersAboutTasksOfManyOutputsCanBeDecoded(t *testing.T) {
	s := newStage(t)
	var entries []ledger.Entry
	var ids []taskid.ID
	for i := range wire.MaxBatch {
		r := &wire.Receipt{ID: idOf(i), Filename: fmt.Sprint(i, ".jpg"), Outcome: outcome.Done, At: time.Now()}
		for n := range 64 {
			r.Outputs = append(r.Outputs, wire.OutputInfo{Name: fmt.Sprintf("%d_%d.jpg", i, n), Size: 1, Width: 1, Height: 1})
		}
		e, err := entryOf(r, nil)
		if err != nil {
			t.Fatal(err)
		}
		entries, ids = append(entries, e), append(ids, e.ID)
	}
	if _, err := s.ledger.Append(entries); err != nil {
		t.Fatal(err)
	}
	if settled, err := s.client.Settled(t.Context(), ids, false); err != nil || len(settled.Receipts) != len(ids) {
		t.Errorf("%d of %d are settled, %v", len(settled.Receipts), len(ids), err)
	}
	n, outputs := 0, 0
	for args := (wire.EntriesArgs{}); ; {
		page, err := s.client.Entries(t.Context(), args)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			n, outputs = n+1, outputs+len(e.Outputs)
		}
		if args.After = page.Next; args.After == "" {
			break
		}
	}
	if n != len(ids) || outputs != 64*len(ids) {
		t.Errorf("the pages hold %d entries with %d outputs", n, outputs)
	}
}

func TestBytesThatWaitForTheirCommitAreBounded(t *testing.T) {
	s := newStage(t)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.sink.writers.uncommitted.Acquire(ctx, maxUncommitted); err != nil {
		t.Fatal(err)
	}
	for n := range 10 {
		s.send(done(n).Encode())
	}
	s.await(wire.TopicTaskAnswered)
	if waiting := len(s.sink.writers.commits); waiting > 0 {
		t.Errorf("%d results wait for their commit where there is no room", waiting)
	}
	s.sink.writers.uncommitted.Release(maxUncommitted)
	for range 10 {
		s.await(wire.TopicTaskDone)
	}
	if err := s.sink.writers.uncommitted.Acquire(ctx, maxUncommitted); err != nil {
		t.Errorf("what was committed was not given back: %v", err)
	}
	s.sink.writers.uncommitted.Release(maxUncommitted)
}

func TestTaskThatAnotherRunDidAgainIsOneEntry(t *testing.T) {
	s := newStage(t)
	for _, run := range []string{"monday", "tuesday"} {
		r := done(1)
		r.Run = run
		s.send(r.Encode())
		s.await(wire.TopicTaskDone)
	}
	if status, err := s.client.Status(t.Context()); err != nil || status.Settled != 1 || status.Done != 2 {
		t.Errorf("%+v, %v", status, err)
	}
}

func TestOutputsStoredByAWorkerAreLookedForWhereSomeAreHere(t *testing.T) {
	s := newStage(t)
	e := ledger.Entry{Outcome: outcome.Done, Stored: true, Outputs: []ledger.Output{{Name: "a.jpg"}, {Name: "b.jpg"}}}
	present := func() bool {
		there, err := s.sink.control.settler.present(t.Context(), &e)
		if err != nil {
			t.Error(err)
		}
		return there
	}
	if !present() {
		t.Error("outputs that are elsewhere count as gone")
	}
	if e.Stored, e.Stranger = false, true; !present() {
		t.Error("outputs that a stranger has elsewhere count as gone")
	}
	e.Outputs[0].Size = 7 // it was here when the stranger named it
	if present() {
		t.Error("an output of a stranger's that was here counts as being elsewhere")
	}
	e.Outputs[0].Size = 0
	e.Stored, e.Stranger = true, false
	for i, name := range []string{"b.jpg", "a.jpg"} {
		if err := os.WriteFile(filepath.Join(s.out, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if there := present(); there != (i == 1) {
			t.Errorf("with %d of 2 here, present is %v", i+1, there)
		}
	}
}

// away is a store whose disk is away until somebody brings it back.
type away struct {
	Store
	back time.Time
}

func (a *away) Stat(string) (int64, error) {
	if time.Now().Before(a.back) {
		return 0, &blob.Fault{Kind: blob.ErrUnavailable, Op: "use", Err: fs.ErrNotExist}
	}
	return 6, nil
}

func TestOutputsOnADiskThatIsAwayDoNotCountAsGone(t *testing.T) {
	s := newStage(t).sink
	synctest.Test(t, func(t *testing.T) {
		s.cfg.Out = &away{back: time.Now().Add(time.Minute)}
		e := ledger.Entry{Outcome: outcome.Done, Outputs: []ledger.Output{{Name: "a.jpg", Size: 6}}}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
		defer cancel()
		if _, err := s.control.settler.present(ctx, &e); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who stops waiting hears %v", err)
		}
		if there, err := s.control.settler.present(context.Background(), &e); !there || err != nil {
			t.Errorf("when it is back: %v, %v", there, err)
		}
	})
}

// A sink that is started again has refused nothing: its ventilators ask the next one.
func TestWhoAsksASinkThatStopsHearsNothingRatherThanARefusal(t *testing.T) {
	s := newStage(t)
	s.send(done(1).Encode())
	s.await(wire.TopicTaskDone)
	synctest.Test(t, func(t *testing.T) {
		defer func(before Store) { s.sink.cfg.Out = before }(s.sink.cfg.Out)
		s.sink.cfg.Out = &away{back: time.Now().Add(time.Hour)}
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		ask := zsock.Message{wire.EncodeRequest(wire.OpSettled, &wire.SettledArgs{IDs: []string{idOf(1)}, Present: true})}
		if reply := s.sink.control.answer(ctx, ask); reply != nil {
			t.Errorf("it says %q", reply)
		}
		if reply := s.sink.control.answer(ctx, zsock.Message{wire.EncodeRequest("sing", nil)}); reply != nil {
			t.Errorf("stopped, it says %q", reply)
		}
	})
}

func TestTheLedgerKeepsWhatARunsRateIsReckonedBy(t *testing.T) {
	begun := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	run := wire.Run{ID: "r", State: "finished", Started: begun, Ended: begun.Add(time.Minute), Total: 30, Found: 30,
		Done: 20, Skipped: 10,
		Earlier: 10, Bytes: 4e6, WorkUS: 10e6}
	record := runRecord(&run)
	again := runOfRecord(&record)
	if images, bytes := again.PerSecond(again.Ended); images != 2 || bytes != 4e5 {
		t.Errorf("%v images and %v bytes a second", images, bytes)
	}
}

func TestRunsAsTheirVentilatorsTell(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	s := newLiveRuns()
	tell := func(run wire.Run, want outcome.RunState, topics ...string) {
		t.Helper()
		if gotWant, got, _ := s.update(run, caller{}, now); gotWant != want || !slices.Equal(got, topics) {
			t.Errorf("%+v: the sink wants %q and tells %q", run, gotWant, got)
		}
	}
	run := wire.Run{ID: "r", Started: now}
	ended := run
	ended.Ended = now.Add(time.Hour)

	tell(run, "running", wire.TopicRunStarted, wire.TopicRunProgress)
	if silent := s.interruptSilent(now.Add(runTimeout + 1)); len(silent) != 1 {
		t.Errorf("%d runs fell silent", len(silent))
	}
	tell(ended, "running", wire.TopicRunFinished) // it was not gone
	tell(ended, "running")

	again := wire.Run{ID: "r", Started: now.Add(2 * time.Hour)}
	tell(again, "running", wire.TopicRunStarted, wire.TopicRunProgress)
	s.steer(wire.Steering{Run: "r", State: "cancelled"})
	tell(again, "cancelled", wire.TopicRunProgress)
	again.Ended = now.Add(3 * time.Hour)
	tell(again, "cancelled", wire.TopicRunFinished)
	tell(wire.Run{ID: "r", Started: now.Add(4 * time.Hour)}, "running", wire.TopicRunStarted, wire.TopicRunProgress)

	tell(wire.Run{ID: "p", Started: now, State: "paused"}, "paused", wire.TopicRunStarted, wire.TopicRunProgress)
}
