package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestSocketsAreBesideTheLedger(t *testing.T) {
	control, events := localSockets("/data/out/.imagefarm/ledger.db")
	if control != "ipc:///data/out/.imagefarm/ledger.db.sock" ||
		events != "ipc:///data/out/.imagefarm/ledger.db.events.sock" {
		t.Errorf("%s, %s", control, events)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	long := filepath.Join(strings.Repeat("d", 90), "ledger.db") // too long for a socket as an absolute path
	if got := socketAt(filepath.Join(dir, long)); got != "ipc://"+long {
		t.Errorf("a long path is %q", got)
	}
	if got := socketAt(filepath.Join(dir, strings.Repeat("d", 120))); got != "" {
		t.Errorf("a path that is too long is %q", got)
	}
}

func TestAnEndpointIsFoundOnlyWhereAProcessListens(t *testing.T) {
	for _, endpoint := range []string{
		"", "ipc://" + filepath.Join(t.TempDir(), "none"), "tcp://127.0.0.1:1", "inproc://x",
	} {
		if accepts(t.Context(), endpoint) {
			t.Errorf("%s accepts", endpoint)
		}
	}
}

func TestBindTakesAHostOrAnEndpoint(t *testing.T) {
	for typed, want := range map[string]string{
		"0.0.0.0": "tcp://0.0.0.0:5557", "tcp://0.0.0.0": "tcp://0.0.0.0:5557", "tcp://h:1": "tcp://h:1", "h:1": "tcp://h:1",
		"[::1]": "tcp://[::1]:5557", "tcp://[::1]": "tcp://[::1]:5557", "::1": "tcp://[::1]:5557", "ipc:///x": "ipc:///x",
	} {
		if got := endpoint("tcp", typed, tasksPort); got != want {
			t.Errorf("%s: %s, not %s", typed, got, want)
		}
	}
}
