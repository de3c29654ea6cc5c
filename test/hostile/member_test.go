//go:build linux

package hostile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// answerTo returns the result of a task, with outputs of that content.
func answerTo(task *wire.Task, worker, data string) *wire.Result {
	r := &wire.Result{ID: task.ID, Filename: task.Filename, Outcome: outcome.Done,
		ResultInfo: wire.ResultInfo{Worker: worker, Run: task.Run, Delivery: task.Delivery, Recipe: task.Recipe,
			Ticket: task.Ticket}}
	for _, name := range recipe.Default().OutputNames(task.Filename) {
		r.Outputs = append(r.Outputs, wire.Output{Name: name, Width: 1, Height: 1, Data: []byte(data)})
	}
	return r
}

// misuses are what a worker can try with the tickets of two tasks that it was given, and with another's name.
func misuses(own, other *wire.Task) (all [][]byte) {
	for _, change := range []func(*wire.Result){
		func(r *wire.Result) { r.ID = other.ID },
		func(r *wire.Result) { r.Ticket = other.Ticket },
		func(r *wire.Result) { r.ID, r.Filename = other.ID, other.Filename },
		func(r *wire.Result) { r.ID = strings.Repeat("7", 32) },
		func(r *wire.Result) { r.Run = "another" },
		func(r *wire.Result) { r.Delivery++ },
		func(r *wire.Result) { r.Outputs[0].Name = "victim.txt" },
		func(r *wire.Result) { r.ID, r.Outcome, r.Detail = other.ID, outcome.Failed, strings.Repeat("x", 8<<20) },
		func(r *wire.Result) { r.ID, r.Outcome, r.Reason = other.ID, outcome.Rejected, outcome.Corrupt },
	} {
		r := answerTo(own, "w1", "forged")
		change(r)
		all = append(all, r.Encode())
	}
	return all
}

// A worker whose machine was taken over has a valid certificate, tasks and tickets. It answers no task rightly.
func TestCompromisedWorkerHarmsItsOwnTasksOnly(t *testing.T) {
	const n, held = 40, 8
	f := newSecureFarm(t)
	deny := filepath.Join(t.TempDir(), "denied")
	mustWrite := func(text string) {
		if err := os.WriteFile(deny, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	mustWrite("# nobody\n")
	sink := f.startSink("--tls-deny", deny, "--allow-strangers=false")
	before := memory(t, sink)
	good := f.member(f.dir, "worker", "w1")
	evil := f.joinWith(f.credentials(f.member(f.dir, "worker", "evil")), "w1", held)
	accomplice := f.joinWith(f.credentials(f.member(f.dir, "worker", "w3")), "evil", 0)

	begin := func(run string) *farmtest.Process {
		root := t.TempDir()
		if err := os.Rename(album(t, n), filepath.Join(root, run)); err != nil { // the runs have different names
			t.Fatal(err)
		}
		return f.startVentilator("--tls-deny", deny, "--allow-strangers=false", "--run", run, root)
	}

	ventilator := begin("first")
	tasks := evil.take(t, held)
	w1 := f.StartWorker("w1", "--tls", good)
	draining := wire.Heartbeat{Worker: "w1", Slots: 1, Draining: true, Held: []string{strings.Repeat("7", 32)}}
	for i, task := range tasks {
		send(t, evil.push, draining.Encode())
		send(t, evil.push, forgedResults(task.ID, "first", task.Filename, 1)...) // without a ticket
		send(t, evil.push, misuses(task, tasks[(i+1)%held])...)
		send(t, accomplice.push, answerTo(task, "evil", "forged").Encode())
	}
	ventilator.MustExit(0) // w1 gets what evil keeps, too
	f.mustHaveDone("w1", n)
	w1.Kill()

	ventilator = begin("second")
	tasks = evil.take(t, held)
	mustWrite("worker/evil\n")
	for _, p := range []*farmtest.Process{sink, ventilator} {
		p.AwaitText("worker/evil is on the deny list", 1) // it was cut, came again and was refused
	}
	for _, task := range tasks {
		right := answerTo(task, "evil", "forged").Encode()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		_ = evil.push.Send(ctx, zsock.Message{right}) // there is nobody who takes it
		cancel()
		send(t, accomplice.push, right)
	}
	f.StartWorker("w1", "--tls", good)
	ventilator.MustExit(0)
	f.mustHaveDone("w1", 2*n)
	polling, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := evil.pull.Recv(polling); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a denied worker got another task, %v", err)
	}
	if took := memory(t, sink) - before; took > 400 {
		t.Errorf("the sink took %d MiB more", took)
	}
	sink.MustLive()
}
