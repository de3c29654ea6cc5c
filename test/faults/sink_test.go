//go:build linux

package faults

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/ledger"
)

// firstFile returns the first output that is found below dir; "" when there is none.
func firstFile(dir string) (found string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it comes and goes
		case d.IsDir() && d.Name() == ".imagefarm":
			return fs.SkipDir
		case d.Type().IsRegular():
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// awaitFile waits for the first output below dir.
func awaitFile(t *testing.T, dir string) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(limit); firstFile(dir) == ""; <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("no output within %v", limit)
		}
	}
}

// The sink dies after it has written outputs and before it has committed them. Nobody was told that they are done: what
// the next run finds is unknown to the ledger, and is made again.
func TestSinkKilledBetweenWritingAndCommitting(t *testing.T) {
	t.Parallel()
	for try := 1; ; try++ {
		f, n := newFarm(t, filepath.Join(t.TempDir(), "out")), 30
		dir := album(t, n)
		sink := f.StartSink()
		worker := f.StartWorker("worker")
		sink.AwaitText("collecting", 1)
		ventilator := f.startVentilator(dir)
		awaitFile(t, f.Out)
		sink.Signal(syscall.SIGSTOP)
		sink.Kill()
		worker.Kill() // nobody is left who could deliver or make it again
		ventilator.Kill()
		if settled := entriesOf(t, f.Out); settled > 0 {
			if try == 8 {
				t.Fatalf("in %d tries the first commit was always faster than the signal", try)
			}
			continue
		}
		if firstFile(f.Out) == "" {
			t.Fatal("no output is there: nothing is proved")
		}
		f.StartSink()
		f.StartWorker("worker")
		next := f.startVentilator(dir)
		next.MustExit(0)
		mustBalance(next, n)
		f.mustVerify(3 * n)
		return
	}
}

// The sink dies with results that it has taken and can neither write nor commit. The workers are done with them;
// when the sink is there again the ventilator misses them at once, not when their leases end.
func TestResultsThatDieWithTheSinkAreMissedAtOnce(t *testing.T) {
	t.Parallel()
	away := filepath.Join(t.TempDir(), "away")
	f, n := newFarm(t, filepath.Join(t.TempDir(), "out")), 40
	atLedger := []string{"--ledger", filepath.Join(t.TempDir(), "ledger.db")}
	sink := f.StartSink(atLedger...)
	worker := f.StartWorker("worker", "--slots", "2")
	sink.AwaitText("collecting", 1)
	if err := os.Rename(f.Out, away); err != nil { // from now on nothing can be written
		t.Fatal(err)
	}
	ventilator := f.startVentilator("--lease", "10m", album(t, n))
	sink.AwaitText(cannotWrite, 1)
	ventilator.AwaitText("waiting for the sink: cannot use", 1) // so it has heard of the answers, too
	worker.MustLive()
	sink.Kill()
	if err := os.Rename(away, f.Out); err != nil {
		t.Fatal(err)
	}
	f.StartSink(atLedger...)
	ventilator.MustExit(0) // within limit, a tenth of a lease
	mustBalance(ventilator, n)
	ventilator.MustSay("the sink restarted before it committed a result")
	f.mustVerify(3*n, "--sink", f.Host)
}

// entriesOf counts the entries of the ledger of a sink that has ended.
func entriesOf(t *testing.T, out string) int64 {
	t.Helper()
	l, err := ledger.Open(filepath.Join(out, ".imagefarm", "ledger.db"), ledger.Config{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	totals, err := l.Totals()
	n := int64(0)
	walkErr := l.Walk(context.Background(), 0, func(ledger.Entry) error { n++; return nil })
	if err := errors.Join(err, walkErr, l.Close()); err != nil {
		t.Fatal(err)
	}
	if n != totals.Settled() {
		t.Errorf("the ledger has %d entries and counts %d", n, totals.Settled())
	}
	return n
}

// Packets to and from the sink vanish for a while, without anybody being told.
func TestSinkThatCannotBeReachedForAWhile(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t, filepath.Join(t.TempDir(), "out")), 120
	dir := album(t, n)
	sink := f.StartSink()
	sink.AwaitText("collecting", 1)
	addresses := *f.Farm // the sink's own, past the wire
	direct := &farm{&addresses, t}
	between := newWire(t, f.Host)
	for _, e := range []*string{&f.Results, &f.Events, &f.Control} {
		*e = between.to(*e)
	}
	worker := f.StartWorker("worker")
	ventilator := f.startVentilator(dir)
	awaitFile(t, f.Out)
	between.cut()
	worker.AwaitText(`"msg":"disconnected","from":"sink"`, 1)
	if code, text := worker.Readiness(); code != 503 || !strings.HasPrefix(text, "not connected to the sink") {
		t.Errorf("the worker's /readyz says %d %q", code, text)
	}
	lost := f.Start("farm", "farm", "status", "--control", f.Control, "--timeout", "1s")
	lost.MustExit(1)
	lost.MustSay(f.Control)
	ventilator.AwaitText(`"msg":"cannot reach the sink; the run goes on and calls it again"`, 1)
	ventilator.MustLive()
	sink.MustLive()
	before := direct.Status().Settled
	if before == uint64(n) {
		t.Fatal("all was settled before the wire was cut: nothing is proved")
	}
	between.heal()
	ventilator.MustExit(0)
	mustBalance(ventilator, n)
	if s := direct.Status(); s.Settled != uint64(n) || s.Dead != 0 {
		t.Errorf("%d settled, %d dead", s.Settled, s.Dead)
	}
	direct.mustVerify(3 * n)
	_ = os.Remove(dir)
}
