//go:build unix

package processes

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A directory of images made to break programs: each is settled as its list says, and the workers live.
func TestHostileImagesAreRejectedOneByOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(root, "testdata", "hostile")
	list, err := os.Open(filepath.Join(dir, "EXPECTED.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer list.Close()
	want := make(map[string]string) // file → outcome and reason
	for lines := bufio.NewScanner(list); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		if strings.HasPrefix(lines.Text(), "#") || len(fields) < 2 {
			continue
		}
		want[fields[0]] = strings.TrimSpace(strings.Join(fields[1:min(3, len(fields))], " "))
	}
	if len(want) < 20 {
		t.Fatalf("EXPECTED.tsv lists %d files", len(want))
	}
	rejected := 0
	for _, w := range want {
		if strings.HasPrefix(w, "rejected") {
			rejected++
		}
	}

	f := newFarm(t)
	f.StartSink()
	workers := f.startWorkers(2)
	ventilator := f.StartVentilator(dir)
	ventilator.MustExit(3)
	mustAccount(t, ventilator, account{found: len(want), done: len(want) - rejected, rejected: rejected})
	entries := f.entries()
	for _, e := range entries {
		if got := strings.TrimSpace(string(e.Outcome) + " " + string(e.Reason)); got != want[e.Filename] {
			t.Errorf("%s: %s (%s), not %s", e.Filename, got, e.Detail, want[e.Filename])
		}
		delete(want, e.Filename)
	}
	for name := range want {
		t.Errorf("%s is missing in the ledger", name)
	}
	for _, w := range workers {
		w.MustLive()
	}

	// Rejected is final: the next run neither sends them again nor forgets them.
	again := f.StartVentilator(dir)
	again.MustExit(3)
	mustAccount(t, again, account{found: len(entries), skipped: len(entries) - rejected, rejected: rejected})
}
