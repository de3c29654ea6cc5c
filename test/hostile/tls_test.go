//go:build linux

package hostile

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// secureFarm is a farm whose sockets speak TLS.
type secureFarm struct {
	*farmtest.Farm
	t   *testing.T
	dir string // of the authority
}

func newSecureFarm(t *testing.T) *secureFarm {
	f := &secureFarm{farmtest.New(t, programs, t.TempDir()), t, filepath.Join(t.TempDir(), "tls")}
	for _, e := range []*string{&f.Tasks, &f.Results, &f.Events, &f.Control} {
		*e = strings.Replace(*e, "tcp:", "tls:", 1)
	}
	f.authority(f.dir)
	return f
}

func (f *secureFarm) authority(dir string) {
	f.t.Helper()
	f.Start("init", "farm", "tls", "init", dir).MustExit(0)
}

// member issues a certificate by the authority in dir, and returns its file.
func (f *secureFarm) member(dir, role, name string) string {
	f.t.Helper()
	issue := f.Start("issue", "farm", "tls", "issue", "--dir", dir, role, name)
	issue.MustExit(0)
	return strings.TrimSpace(issue.Output())
}

// farm runs an operator's command with the certificate of a member, and returns the process after its end.
func (f *secureFarm) farm(code int, bundle string, args ...string) *farmtest.Process {
	f.t.Helper()
	args = append(args, "--sink", f.Host, "--control", f.Control, "--tls", bundle)
	p := f.Start(args[0], "farm", args...)
	p.MustExit(code)
	return p
}

func TestFarmOverTLS(t *testing.T) {
	f := newSecureFarm(t)
	sink := f.StartSink("--tls", f.member(f.dir, "sink", "main"))
	f.StartWorker("w1", "--tls", f.member(f.dir, "worker", "w1"))

	// Strangers: another authority's worker, a member of another role, a worker without TLS.
	other := filepath.Join(t.TempDir(), "other")
	f.authority(other)
	f.StartWorker("w1", "--tls", f.member(other, "worker", "w1"))
	plain := *f.Farm
	plain.Tasks, plain.Results = strings.Replace(f.Tasks, "tls:", "tcp:", 1), strings.Replace(f.Results, "tls:", "tcp:", 1)
	plain.StartWorker("stranger")
	viewer := f.member(f.dir, "viewer", "page")
	wrong := f.StartWorker("page", "--tls", viewer)
	wrong.MustExit(2)
	wrong.MustSay("the role must be worker")
	borrowed := f.StartWorker("w2", "--tls", f.member(f.dir, "worker", "w1"))
	borrowed.MustExit(2)
	borrowed.MustSay("allows w1")

	f.StartVentilator("--tls", f.member(f.dir, "ventilator", "v1"), "--sink", f.Host, photos).MustExit(0)

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
