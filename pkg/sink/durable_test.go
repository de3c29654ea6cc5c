//go:build unix

package sink

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// What waits behind a batch was written to the same directory. When that is replaced, one batch alone hears of it.
func TestOutputsThatWaitedBehindALossAreWrittenAgain(t *testing.T) {
	s := newStage(t)
	written := func(n int) []work {
		w := work{result: done(n), losses: s.sink.writers.losses.Load()}
		if err := s.sink.writers.writeOutputs(t.Context(), w.result); err != nil {
			t.Fatal(err)
		}
		return []work{w}
	}
	first, behind := written(1), written(2)
	if err := os.Rename(s.out, s.out+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(s.out, 0o755); err != nil {
		t.Fatal(err)
	}
	for n, batch := range [][]work{first, behind} {
		if kept, err := s.sink.writers.makeDurable(t.Context(), batch); err != nil || len(kept) != 1 {
			t.Fatal(kept, err)
		}
		for _, o := range batch[0].result.Outputs {
			if _, err := os.Stat(filepath.Join(s.out, o.Name)); err != nil {
				t.Errorf("batch %d counts as durable: %v", n, err)
			}
		}
	}
	batch := []work{{receipt: wire.Receipt{}}} // a ventilator's word, of which there is nothing to write
	if kept, err := s.sink.writers.makeDurable(t.Context(), batch); err != nil || len(kept) != 1 {
		t.Error(kept, err)
	}
}

// A restored or a foreign tree may have something else where an output was.
func TestOutputThatCannotBeWrittenAgainFailsAlone(t *testing.T) {
	s := newStage(t)
	var batch []work
	for n := range 2 {
		w := work{receipt: receiptOf(done(n)), result: done(n), losses: s.sink.writers.losses.Load()}
		var err error
		if w.entry, err = entryOf(&w.receipt, w.result); err != nil {
			t.Fatal(err)
		}
		if err := s.sink.writers.writeOutputs(t.Context(), w.result); err != nil {
			t.Fatal(err)
		}
		batch = append(batch, w)
	}
	if err := os.Rename(s.out, s.out+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(s.out, batch[0].result.Outputs[0].Name), 0o755); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.sink.committer.commitBatch(t.Context(), batch); err != nil || len(kept) != 1 {
		t.Fatalf("%d of 2 are left, %v", len(kept), err)
	}
	if r := s.await(wire.TopicTaskFailed).(*wire.Receipt); r.ID != idOf(0) {
		t.Errorf("%+v failed", r)
	}
	if r := s.await(wire.TopicTaskDone).(*wire.Receipt); r.ID != idOf(1) {
		t.Errorf("%+v is done", r)
	}
}

// losing is a store that takes everything and, for a while, keeps nothing.
type losing struct {
	Store
	puts, flushes, losses int
}

func (l *losing) Put(context.Context, string, []byte) error { l.puts++; return nil }

func (l *losing) Flush(context.Context) error {
	if l.flushes++; l.flushes <= l.losses {
		return &blob.Fault{Kind: blob.ErrLost, Op: "make durable what was written"}
	}
	return nil
}

func TestDiskThatKeepsNothingIsLeftAloneBetweenTwoTries(t *testing.T) {
	s := newStage(t).sink
	synctest.Test(t, func(t *testing.T) {
		disk := &losing{losses: 3}
		s.cfg.Out = disk
		begun := time.Now()
		over := make(chan error, 1)
		go func() {
			_, err := s.writers.makeDurable(context.Background(), []work{{result: done(1), losses: s.writers.losses.Load()}})
			over <- err
		}()
		synctest.Wait()
		if s.Status().Trouble == "" || s.Ready() == nil {
			t.Error("it hides its trouble")
		}
		if err := <-over; err != nil || s.Status().Trouble != "" {
			t.Errorf("%v, trouble %q", err, s.Status().Trouble)
		}
		if took := time.Since(begun); took != 2*blob.Pause || disk.puts != 3 || disk.flushes != 4 {
			t.Errorf("%v, %d puts, %d flushes", took, disk.puts, disk.flushes)
		}
		ctx, cancel := context.WithTimeoutCause(context.Background(), blob.Pause/2, errors.New("cut"))
		defer cancel()
		disk.flushes, disk.losses = 0, 1000
		if _, err := s.writers.makeDurable(ctx, []work{{result: done(2)}}); err == nil || err.Error() != "cut" {
			t.Errorf("cut: %v", err)
		}
	})
}

func TestTotalHoldsWhatTheSinkTookToWrite(t *testing.T) {
	s := newStage(t)
	r := done(1)
	r.Timings = wire.Timings{Waited: 1000, Decode: 1107, Transform: 471, Encode: 292, Total: 68}
	w, err := s.sink.writers.prepare(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for of, got := range map[string]wire.Timings{"receipt": w.receipt.Timings, "entry": receiptOfEntry(&w.entry).Timings} {
		if want := got.Decode + got.Transform + got.Encode + got.Write; got.Write == 0 || got.Total != want {
			t.Errorf("the %s has a total of %d, want %d: %+v", of, got.Total, want, got)
		}
		if got.Waited != 1000 {
			t.Errorf("the %s waited %d", of, got.Waited)
		}
	}
}
