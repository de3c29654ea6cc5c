//go:build linux

package hostile

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/pki"
	"github.com/imagefarm/imagefarm/pkg/sinkclient"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/zsock"
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

// startSink starts the sink as a member, and returns when it collects.
func (f *secureFarm) startSink(args ...string) *farmtest.Process {
	f.t.Helper()
	sink := f.StartSink(append([]string{"--tls", f.member(f.dir, "sink", "main")}, args...)...)
	sink.Await("collecting")
	return sink
}

// startVentilator starts a ventilator as a member.
func (f *secureFarm) startVentilator(args ...string) *farmtest.Process {
	f.t.Helper()
	return f.StartVentilator(append([]string{"--tls", f.member(f.dir, "ventilator", "v1"), "--sink", f.Host}, args...)...)
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

// credentials opens a member's certificate for a socket of this process.
func (f *secureFarm) credentials(bundle string) *pki.Credentials {
	f.t.Helper()
	credentials, err := pki.Open(pki.Config{Bundle: bundle, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.t.Fatal(err)
	}
	return credentials
}

// joined is a worker made of two sockets of this process, which knows no manners.
type joined struct {
	pull *zsock.Pull
	push *zsock.Push
}

// join connects to tasks and results. security is nil for one that speaks plain TCP.
func (f *secureFarm) join(name string, security *pki.Credentials) joined {
	f.t.Helper()
	return f.joinWith(security, name, 64)
}

// joinWith is join with another prefetch; 0: it takes no tasks.
func (f *secureFarm) joinWith(security *pki.Credentials, name string, prefetch int) joined {
	f.t.Helper()
	network, plainly := zsock.Network{}, func(e string) string { return strings.Replace(e, "tls:", "tcp:", 1) }
	if security != nil {
		network.Security, plainly = security, func(e string) string { return e }
	}
	me := wire.WorkerIdentity{Name: name, Slots: 4, Prefetch: prefetch, Token: wire.NewToken()}.String()
	pull, err := zsock.NewPull(zsock.Config{Network: network, Identity: me, MaxMessage: 1 << 20})
	if err != nil {
		f.t.Fatal(err)
	}
	push, err := zsock.NewPush(zsock.Config{Network: network, Identity: me})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, _ = pull.Close(ctx), push.Close(ctx) // what nobody takes is lost
	})
	if prefetch > 0 {
		err = pull.Dial(plainly(f.Tasks))
	}
	if err := errors.Join(err, push.Dial(plainly(f.Results))); err != nil {
		f.t.Fatal(err)
	}
	return joined{pull, push}
}

// take receives n tasks as a worker that answers none.
func (j joined) take(t *testing.T, n int) (tasks []*wire.Task) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	for range n {
		m, err := j.pull.Recv(ctx)
		if err != nil {
			t.Fatalf("%d of %d tasks, %v", len(tasks), n, err)
		}
		task, err := wire.DecodeTask(m[0])
		if err != nil {
			t.Fatal(err)
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// mustHaveDone checks that the ledger has n images, which that worker has done, and no output that an attacker sent.
func (f *secureFarm) mustHaveDone(worker string, n int) {
	f.t.Helper()
	all := f.entries()
	if len(all) != n {
		f.t.Errorf("%d entries, not %d", len(all), n)
	}
	for _, e := range all {
		if e.Worker != worker || e.Outcome != outcome.Done || e.Stranger || len(e.Outputs) != 3 {
			f.t.Errorf("the ledger says %+v", e)
		}
	}
	mustHaveNoForgery(f.t, f.Out)
}

// entries returns what the ledger has.
func (f *secureFarm) entries() []wire.Receipt {
	f.t.Helper()
	client, err := sinkclient.Dial(zsock.Network{Security: f.credentials(f.member(f.dir, "operator", "anna"))}, f.Control)
	if err != nil {
		f.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), farmtest.Limit)
	defer cancel()
	page, err := client.Entries(ctx, wire.EntriesArgs{})
	if err != nil {
		f.t.Fatal(err)
	}
	return page.Entries
}
