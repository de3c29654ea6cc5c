package pki

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/imagefarm/imagefarm/pkg/reload"
	"github.com/imagefarm/imagefarm/pkg/zsock"
)

const limit = 30 * time.Second

// authority makes an authority for a farm in a new directory.
func authority(t testing.TB, farm string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tls")
	if err := Init(dir, farm, time.Now()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// issue returns the bundle of a new member that is valid from made for an hour.
func issue(t testing.TB, dir, role, name string, made time.Time) string {
	t.Helper()
	path, err := Issue(dir, Request{Role: role, Name: name, Valid: time.Hour}, made)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t testing.TB, bundle, deny string) *Credentials {
	t.Helper()
	c, err := Open(Config{Bundle: bundle, Deny: deny})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// closing closes a socket with the test.
func closing(t testing.TB, s interface{ Close(context.Context) error }) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = s.Close(ctx)
	})
}

// ventilator listens for workers, and returns its socket, the events of its peers and its endpoint.
func ventilator(t *testing.T, c *Credentials) (*zsock.Push, chan zsock.PeerEvent, string) {
	t.Helper()
	events := make(chan zsock.PeerEvent, 1000)
	push, err := zsock.NewPush(zsock.Config{
		Network: zsock.Network{Security: c}, PeerRoles: []string{Worker}, HandshakeTimeout: time.Second,
		OnPeer: func(e zsock.PeerEvent) { events <- e },
	})
	if err != nil {
		t.Fatal(err)
	}
	closing(t, push)
	bound, err := push.Listen("tls://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return push, events, bound
}

func await(t *testing.T, events chan zsock.PeerEvent, kind zsock.PeerEventKind) zsock.PeerEvent {
	t.Helper()
	for timeout := time.After(limit); ; {
		select {
		case e := <-events:
			if e.Kind == kind {
				return e
			}
		case <-timeout:
			t.Fatalf("no event %v", kind)
		}
	}
}

// worker dials an endpoint with credentials; nil: without TLS.
func worker(t *testing.T, c *Credentials, endpoint string) *zsock.Pull {
	t.Helper()
	cfg := zsock.Config{PeerRoles: []string{Ventilator}, ReconnectMin: 20 * time.Millisecond}
	if c != nil {
		cfg.Network.Security = c
	}
	pull, err := zsock.NewPull(cfg)
	if err != nil {
		t.Fatal(err)
	}
	closing(t, pull)
	if err := pull.Dial(endpoint); err != nil {
		t.Fatal(err)
	}
	return pull
}

func TestMemberIsNamedByItsCertificate(t *testing.T) {
	dir := authority(t, "album")
	push, events, bound := ventilator(t, open(t, issue(t, dir, Ventilator, "v1", time.Now()), ""))
	pull := worker(t, open(t, issue(t, dir, Worker, "w1", time.Now()), ""), bound)
	up := await(t, events, zsock.PeerUp)
	if p := up.Peer.Principal; p.String() != "worker/w1" || time.Until(p.Expires) < 50*time.Minute {
		t.Errorf("principal %+v", p)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	sent := strings.Repeat("x", 300<<10)
	if err := push.Send(ctx, zsock.Message{[]byte(sent)}); err != nil {
		t.Fatal(err)
	}
	m, peer, err := pull.RecvFrom(ctx)
	if err != nil || string(m[0]) != sent || peer.Principal.String() != "ventilator/v1" {
		t.Errorf("%d bytes from %v, %v", m.Size(), peer.Principal, err)
	}
}

// Strangers and wrong members get nothing of a task, while a good worker beside them gets all.
func TestStrangersGetNoTask(t *testing.T) {
	dir, other := authority(t, "album"), authority(t, "album")
	now := time.Now()
	denied := filepath.Join(t.TempDir(), "denied")
	if err := os.WriteFile(denied, []byte("# stolen\nworker/lost\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v1 := open(t, issue(t, dir, Ventilator, "v1", now), denied)
	for name, c := range map[string]struct {
		bundle string // "": none
		why    string
	}{
		"another authority": {issue(t, other, Worker, "w1", now), ""},
		"expired":           {issue(t, dir, Worker, "old", now.Add(-2*time.Hour)), "expired"},
		"viewer":            {issue(t, dir, Viewer, "page", now), "needs a role"},
		"sink":              {issue(t, dir, Sink, "s1", now), "needs a role"},
		"denied":            {issue(t, dir, Worker, "lost", now), "deny list"},
		"plaintext":         {"", "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			push, events, bound := ventilator(t, v1)
			dial, credentials := "tcp"+strings.TrimPrefix(bound, "tls"), (*Credentials)(nil)
			if c.bundle != "" {
				dial = bound
				credentials = open(t, c.bundle, "")
			}
			bad := worker(t, credentials, dial)
			refused := await(t, events, zsock.PeerRefused)
			if !strings.Contains(refused.Err.Error(), c.why) {
				t.Errorf("refused for %v; want %q", refused.Err, c.why)
			}
			good := worker(t, open(t, issue(t, dir, Worker, "good", now), ""), bound)
			ctx, cancel := context.WithTimeout(context.Background(), limit)
			defer cancel()
			for range 20 {
				if err := push.Send(ctx, zsock.Message{[]byte("task")}); err != nil {
					t.Fatal(err)
				}
				if m, err := good.Recv(ctx); err != nil || string(m[0]) != "task" {
					t.Fatal(m, err)
				}
			}
			ended, end := context.WithCancel(ctx)
			end()
			if m, err := bad.Recv(ended); !errors.Is(err, context.Canceled) {
				t.Errorf("the stranger got %v, %v", m, err)
			}
			_ = good.Close(ctx)
			_ = bad.Close(ctx)
		})
	}
}

func TestWorkerRefusesAWrongVentilator(t *testing.T) {
	dir := authority(t, "album")
	_, _, bound := ventilator(t, open(t, issue(t, dir, Worker, "impostor", time.Now()), ""))
	pull := worker(t, open(t, issue(t, dir, Worker, "w1", time.Now()), ""), bound)
	deadline := time.After(limit)
	for {
		for _, u := range pull.Unreached() {
			if u.Err != nil && strings.Contains(u.Error(), "needs a role") {
				return
			}
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-deadline:
			t.Fatalf("unreached: %v", pull.Unreached())
		}
	}
}

func TestPeerIsDroppedWhenItsCertificateExpires(t *testing.T) {
	dir := authority(t, "album")
	_, events, bound := ventilator(t, open(t, issue(t, dir, Ventilator, "v1", time.Now()), ""))
	worker(t, open(t, issue(t, dir, Worker, "w1", time.Now().Add(2*time.Second-time.Hour)), ""), bound)
	await(t, events, zsock.PeerUp)
	if down := await(t, events, zsock.PeerDown); !strings.Contains(down.Err.Error(), "expired") {
		t.Errorf("dropped for %v", down.Err)
	}
}

func TestFilesAreReloaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := authority(t, "album")
		bundle := issue(t, dir, Worker, "w1", time.Now())
		denied := filepath.Join(t.TempDir(), "denied")
		if err := os.WriteFile(denied, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c := open(t, bundle, denied)
		first := c.Expires()
		issue(t, dir, Worker, "w1", time.Now().Add(10*time.Minute))
		if err := os.WriteFile(denied, []byte("viewer/page\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		page := zsock.Principal{Role: Viewer, Name: "page", Expires: first}
		time.Sleep(reload.Every)
		if got := c.Expires(); !got.After(first) {
			t.Errorf("the certificate expires at %v; the new one later than %v", got, first)
		}
		if err := c.Check(page); err == nil {
			t.Error("a member on the new deny list is welcome")
		}
		if err := os.WriteFile(bundle, []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		time.Sleep(reload.Every)
		if got := c.Self(); got.Name != "w1" {
			t.Errorf("a broken bundle made %v of w1", got)
		}
	})
}

// Found: a serial number as openssl prints it, and a mistyped member, denied nobody, and nobody was told.
func TestDenyListSaysWhatItCannotRead(t *testing.T) {
	now := time.Now()
	dir := authority(t, "f")
	bundle, list := issue(t, dir, Sink, "main", now), filepath.Join(t.TempDir(), "denied")
	write := func(text string) {
		if err := os.WriteFile(list, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := zsock.Principal{Role: Worker, Name: "w1", Serial: "a0b1c2", Expires: now.Add(time.Hour)}
	for text, denied := range map[string]bool{
		"": false, "# worker/w1\n": false, "worker/w10\na0b1c\n": false, "viewer/w1": false,
		"worker/w1": true, "  Worker/W1 # it was lost\n": true, "\r\nworker/w1\r\n": true,
		"a0b1c2": true, "A0:B1:C2": true, "00a0b1c2": true, "serial=A0B1C2\n": true,
	} {
		write(text)
		if err := open(t, bundle, list).Check(p); (err != nil) != denied {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{
		"worker w1", "w1", "worker/", "/w1", "worker/w1/x", "imagefarm://f/worker/w1", "workers/w1", "worker/w1 viewer/x",
		"worker/w*", "0", "a0b1c2, a0b1c3", "worker/w1\nsink\n",
	} {
		write(text)
		if _, err := Open(Config{Bundle: bundle, Deny: list}); err == nil || !strings.Contains(err.Error(), "line") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestNamesOfMembers(t *testing.T) {
	dir := authority(t, "album")
	for _, r := range []Request{
		{Role: "admin", Name: "x"}, {Role: Worker}, {Role: Worker, Name: "../x"}, {Role: Worker, Name: "a/b"},
		{Role: Worker, Name: strings.Repeat("x", 65)}, {Role: Worker, Name: "-x"}, {Role: Worker, Name: "a\nb"},
	} {
		r.Valid = time.Hour
		if path, err := Issue(dir, r, time.Now()); err == nil {
			t.Errorf("%+v: issued %s", r, path)
		}
	}
	if err := Init(dir, "album", time.Now()); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second Init: %v", err)
	}
	info, err := os.Stat(filepath.Join(dir, authorityKey))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
}

func TestCertifiedName(t *testing.T) {
	w1 := zsock.Principal{Role: Worker, Name: "w1"}
	for declared, want := range map[string]string{
		"w1": "w1", "w1/host-7": "w1/host-7", "w2": "w1", "w10": "w1", "": "w1", "w2/w1": "w1",
	} {
		if got := Certified(declared, w1); got != want {
			t.Errorf("%q with the certificate of w1 is %q; want %q", declared, got, want)
		}
	}
	if got := Certified("w2", zsock.Principal{}); got != "w2" {
		t.Errorf("without a certificate w2 is %q", got)
	}
}
