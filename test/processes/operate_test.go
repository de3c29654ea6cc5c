//go:build unix

package processes

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// A run in one process answers the operator's commands by the socket beside its ledger.
func TestARunInOneProcessAnswersTheOperator(t *testing.T) {
	t.Parallel()
	f, n := newFarm(t), 16
	dir, flag := album(t, n), []string{"--out", f.Out}
	if err := os.WriteFile(filepath.Join(dir, "bad.jpg"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	ask := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		p := f.Start(args[0], "farm", append(args, flag...)...)
		p.MustExit(code)
		return p.Output(), strings.Join(p.Log(), "\n")
	}
	if _, err := ask(1, "pause"); !strings.Contains(err, "nothing to pause: no run is going on") {
		t.Errorf("before the run: %s", err)
	}
	run := f.Start("farm", "farm", "run", dir, "--out", f.Out, "--http", "", "--progress", "json", "--slots", "1",
		"--prefetch", "1", "--variant", slow)
	run.AwaitOutputLine("progress", func(line string) bool {
		var status struct{ Done int }
		return json.Unmarshal([]byte(line), &status) == nil && status.Done > 0
	})
	if out, _ := ask(0, "pause"); out != "every live run: paused\n" {
		t.Errorf("pause says %q", out)
	}
	var status wire.Status // which is up to date: pause has waited until the sink knew
	out, _ := ask(0, "status", "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil || len(status.Runs) != 1 ||
		status.Runs[0].State != "paused" {
		t.Fatalf("status is %+v, %v", status, err)
	}
	run.AwaitOutputLine("that it is paused", func(line string) bool {
		var status struct{ State string }
		return json.Unmarshal([]byte(line), &status) == nil && status.State == "paused"
	})
	if len(status.Workers) != 1 {
		t.Errorf("the workers are %+v", status.Workers)
	}
	if out, _ := ask(0, "workers"); !strings.Contains(out, "SLOTS BUSY") {
		t.Errorf("workers are %q", out)
	}
	if out, err := ask(0, "runs"); !strings.Contains(out, "paused") ||
		!strings.Contains(err, "asking the sink at ipc://") {
		t.Errorf("runs are %q, %s", out, err)
	}
	ask(0, "rejects")
	if out, _ := ask(0, "report"); !strings.Contains(out, status.Runs[0].ID) {
		t.Errorf("the report is %q", out)
	}
	backup := filepath.Join(t.TempDir(), "copy.db")
	if out, _ := ask(0, "backup", backup); !strings.Contains(out, "copy.db: ") {
		t.Errorf("backup says %q", out)
	}
	atCopy := f.Start("report", "farm", "report", "--ledger", backup, "--run", status.Runs[0].ID)
	atCopy.MustExit(0)
	events := f.Start("events", "farm", append([]string{"events", "--count", "1", "--json", "run.state"}, flag...)...)
	resumed := func() bool { // the subscription may come after the first event
		ask(0, "resume")
		select {
		case <-events.Over():
			return true
		default:
			return false
		}
	}
	for !resumed() {
		if _, err := ask(0, "status"); err != "" {
			t.Fatalf("status says %q", err)
		}
	}
	events.MustExit(0)
	if out := events.Output(); !strings.Contains(out, `"topic":"run.state"`) {
		t.Errorf("the event is %q", out)
	}
	run.MustExit(3)
	if out, err := ask(0, "rejects"); !strings.Contains(out, "bad.jpg") || !strings.Contains(err, "reading ") {
		t.Errorf("after the run, rejects are %q, %s", out, err)
	}
	if _, err := ask(1, "cancel"); !strings.Contains(err, "nothing to cancel: no run is going on") {
		t.Errorf("after the run: %s", err)
	}
	if copied := checkedTotals(t, backup); copied < 1 || copied > int64(n) {
		t.Errorf("the backup counts %d of %d images", copied, n)
	}
	if left, err := filepath.Glob(filepath.Join(f.Out, ".imagefarm", "*.sock")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// A sink without a run says so.
func TestASinkWithoutARunHasNothingToPause(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	f.StartSink().Await("collecting")
	p := f.Start("pause", "farm", "pause", "--control", f.Control)
	p.MustExit(1)
	if said := p.Said(); !strings.Contains(said, "nothing to pause: no run is going on") {
		t.Errorf("it says %q", said)
	}
}

// checkedTotals returns how many images a ledger counts, after a check that it agrees with itself.
func checkedTotals(t *testing.T, path string) int64 {
	t.Helper()
	l, err := ledger.Open(path, ledger.Config{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	totals, err := l.Totals()
	if err := errors.Join(err, l.Check(t.Context()), l.Close()); err != nil {
		t.Fatal(err)
	}
	return totals.Settled()
}
