//go:build linux

package hostile

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
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// Found: 40 results of 30 MiB of text each took the sink from 42 MB to 1.8 GB, and its log grew by tens of MiB.
func TestLongTextsInResultsStayNowhere(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink()
	mustAnswer(t, f)
	before := memory(t, sink)
	push := dial(t, f, "")
	long := strings.Repeat("x", 30<<20)
	for range 8 {
		r := wire.Result{ID: strings.Repeat("7", 32), Filename: "a.jpg", Outcome: outcome.Failed}
		detail, format, reason, word, dropped := r, r, r, r, r
		detail.Detail, format.Format, reason.Reason, word.Outcome = long, long, outcome.Reason(long), outcome.Outcome(long)
		dropped.Dropped = []string{long}
		for _, m := range []*wire.Result{&detail, &format, &reason, &word, &dropped} {
			send(t, push, m.Encode())
		}
	}
	f.StartWorker("w1")
	f.StartVentilator(photos).MustExit(0)
	sink.MustLive()
	if n := memory(t, sink); n > before+400 {
		t.Errorf("the sink took %d MiB more", n-before)
	} else {
		t.Logf("the sink took %d MiB more", n-before)
	}
	if n := len(sink.Said()); n > 1<<20 {
		t.Errorf("the sink's log has %d bytes", n)
	}
}

// Found: 10,000 names in heartbeats made the status too large to be decoded.
func TestInventedWorkersLeaveTheStatusReadable(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	f.StartSink()
	f.StartWorker("w1")
	sendByMany(t, f, 10_000, func(i int) []byte {
		return (&wire.Heartbeat{Worker: fmt.Sprint("invented ", i), Slots: 1}).Encode()
	})
	send(t, dial(t, f, ""), wire.EncodeBareName("last"))
	status := f.Status()
	for ; status.Strangers == 0; status = f.Status() { // until the sink has read all heartbeats
	}
	found := false
	for _, w := range status.Workers {
		found = found || w.Worker == "w1"
	}
	if !found || len(status.Workers) > 1000 {
		t.Errorf("%d workers are listed, w1: %v", len(status.Workers), found)
	}
	f.StartVentilator(photos).MustExit(0)
}

// Found: 1,200 invented runs in ten seconds grew the ledger by 42 MB, and 31 runs with states of 15 MiB took 1.85 GB.
func TestInventedRunsFillNeitherLedgerNorMemory(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	sink := f.StartSink()
	mustAnswer(t, f)
	size := func() int64 {
		info, err := os.Stat(filepath.Join(f.Out, ".imagefarm", "ledger.db"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before, memoryBefore := size(), memory(t, sink)
	c := f.Client()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	refusals := 0
	for i := range 1200 {
		run := wire.Run{ID: fmt.Sprint("invented ", i), State: outcome.Running, Started: time.Now(),
			Recipe: strings.Repeat("r", 30_000)}
		run.Missing = []string{strings.Repeat("m", 60_000)}
		if i%2 == 0 {
			run.Ended = time.Now()
		}
		_, err := c.TellRun(ctx, &run)
		var refused *sinkclient.RefusedError
		if errors.As(err, &refused) {
			refusals++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 31 {
		_, err := c.TellRun(ctx, &wire.Run{ID: fmt.Sprint("long ", i), State: outcome.RunState(strings.Repeat("s", 15<<20)),
			Started: time.Now()})
		var refused *sinkclient.RefusedError
		if !errors.As(err, &refused) {
			t.Fatalf("a state of 15 MiB: %v", err)
		}
	}
	grown, took := size()-before, memory(t, sink)-memoryBefore
	t.Logf("%d of 1200 runs were refused, the ledger grew by %d bytes, the sink by %d MiB", refusals, grown, took)
	if refusals < 1000 || grown > 12<<20 || took > 300 {
		t.Errorf("%d of 1200 runs were refused, the ledger grew by %d bytes, the sink by %d MiB", refusals, grown, took)
	}
	if runs, err := c.Runs(ctx); err != nil || len(runs) > 200 {
		t.Errorf("%d runs are listed, %v", len(runs), err)
	}
	mustAnswer(t, f)
}
