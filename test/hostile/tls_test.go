//go:build linux

package hostile

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/zsock"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

func TestFarmOverTLS(t *testing.T) {
	f := newSecureFarm(t)
	sink := f.startSink()
	f.StartWorker("w1", "--tls", f.member(f.dir, "worker", "w1"))

	// Strangers: another authority's worker, a member of another role, a worker without TLS.
	other := filepath.Join(t.TempDir(), "other")
	f.authority(other)
	f.StartWorker("w1", "--tls", f.member(other, "worker", "w1"))
	plain := *f.Farm
	plain.Tasks = strings.Replace(f.Tasks, "tls:", "tcp:", 1)
	plain.Results = strings.Replace(f.Results, "tls:", "tcp:", 1)
	plain.StartWorker("stranger")
	viewer := f.member(f.dir, "viewer", "page")
	wrong := f.StartWorker("page", "--tls", viewer)
	wrong.MustExit(2)
	wrong.MustSay("the role must be worker")
	borrowed := f.StartWorker("w2", "--tls", f.member(f.dir, "worker", "w1"))
	borrowed.MustExit(2)
	borrowed.MustSay("allows w1")

	f.startVentilator(photos).MustExit(0)

	operator := f.member(f.dir, "operator", "anna")
	status := f.farm(0, operator, "status", "--json")
	status.MustSay(`"certificate_expires"`)
	var seen struct{ Workers []struct{ Worker string } }
	if err := json.Unmarshal([]byte(status.Output()), &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.Workers) != 1 || seen.Workers[0].Worker != "w1" {
		t.Errorf("the sink knows the workers %v; want w1 alone", seen.Workers)
	}
	f.farm(0, viewer, "status").MustSay("certificate expires on")
	f.farm(1, viewer, "retry").MustSay("may not call")
	f.farm(0, operator, "retry")
	sink.MustLive()
}

func TestBindsBeyondLoopbackNeedTLS(t *testing.T) {
	f := farmtest.New(t, programs, t.TempDir())
	for name, p := range map[string]*farmtest.Process{
		"sink":       f.Start("sink", "sink", "--bind", "0.0.0.0", "--out", f.Out, "--http", ""),
		"ventilator": f.Start("ventilator", "ventilator", "--bind", "0.0.0.0", "--http", "", photos),
		"worker":     f.Start("worker", "worker", "--http", "0.0.0.0:0"),
		"farm run":   f.Start("run", "farm", "run", "--out", t.TempDir(), "--http", ":0", photos),
	} {
		p.MustExit(2)
		if !strings.Contains(p.Said(), "--insecure") {
			t.Errorf("%s: %s", name, p.Said())
		}
	}
}

// Wrong authority, expired, wrong role, plaintext, replayed ticket: none gets a byte of a task or an entry in the
// ledger, and good peers go on.
func TestNoStrangerGetsATaskOrAnEntry(t *testing.T) {
	const n = 12
	f := newSecureFarm(t)
	sink := f.startSink()
	ventilator := f.startVentilator(album(t, n))
	ventilator.Await("handing out tasks")

	other := filepath.Join(t.TempDir(), "other")
	f.authority(other)
	expired, err := pki.Issue(f.dir, pki.Request{Role: pki.Worker, Name: "old", Valid: time.Hour},
		time.Now().Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	strangers := map[string]joined{
		"of another authority": f.join("w1", f.credentials(f.member(other, "worker", "w1"))),
		"that has expired":     f.join("old", f.credentials(expired)),
		"of a viewer":          f.join("page", f.credentials(f.member(f.dir, "viewer", "page"))),
		"of a tunnel":          f.join("t", f.credentials(f.member(f.dir, "tunnel", "t"))),
		"of nobody: plain TCP": f.join("w1", nil),
	}
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	id := strings.Repeat("7", 32)
	for _, s := range strangers {
		for _, m := range forgedResults(id, "r", "000.jpg", 1) {
			sending, stop := context.WithTimeout(ctx, 10*time.Millisecond)
			_ = s.push.Send(sending, zsock.Message{m}) // there is nobody who takes it
			stop()
		}
	}
	ventilator.AwaitText("refused a connection", 2*len(strangers)) // each was refused and tried again, or others twice

	// A member takes all tasks. Another overhears its results, and it sends its own again with other contents.
	member, thief := f.join("w2", f.credentials(f.member(f.dir, "worker", "w2"))),
		f.join("w3", f.credentials(f.member(f.dir, "worker", "w3")))
	taken := make(map[string]bool)
	for len(taken) < n {
		task := member.take(t, 1)[0]
		taken[task.ID] = true
		answer := func(data string) []byte { return answerTo(task, "w2", data).Encode() }
		send(t, thief.push, answer("forged"))
		send(t, member.push, answer("right"), answer("forged"))
	}
	ventilator.MustExit(0)
	for what, s := range strangers {
		polling, stop := context.WithTimeout(ctx, 10*time.Millisecond)
		if m, err := s.pull.Recv(polling); err == nil {
			t.Errorf("a peer with the certificate %s got %d bytes of a task", what, len(m[0]))
		}
		stop()
	}
	f.mustHaveDone("w2", n)
	sink.MustLive()
}
