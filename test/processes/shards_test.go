//go:build unix

package processes

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/bucket/s3test"
	"github.com/imagefarm/imagefarm/test/internal/farmtest"
)

// sample is what testdata/shards.py prints of a sample.
type sample struct {
	Key   string
	About struct {
		Name, File, SHA256, Filename, Source string
		Size                                 int64
		Width, Height                        int
		ThumbHash                            []byte
		Columns                              map[string]string
		Sidecar                              json.RawMessage
	}
	Others map[string]string
}

// readShards reads the shards of a directory with Python's tarfile, like WebDataset, and returns the samples by the
// names of their outputs.
func readShards(t *testing.T, dir string) map[string]sample {
	t.Helper()
	needPython(t)
	python, _ := interpreter()
	shards, err := filepath.Glob(filepath.Join(dir, "*.tar"))
	if err != nil || len(shards) == 0 {
		t.Fatalf("no shards in %s: %v", dir, err)
	}
	cmd := exec.Command(python, append([]string{"testdata/shards.py"}, shards...)...)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	samples := make(map[string]sample)
	for line := range strings.Lines(string(out)) {
		var s sample
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatal(err)
		}
		samples[s.About.Name] = s
	}
	return samples
}

func TestShardsAreWhatTheLedgerSaysAfterTwentyKills(t *testing.T) {
	t.Parallel()
	const kills = 20
	n := 400
	dir := filepath.Join(t.TempDir(), "set")
	f := &farm{farmtest.New(t, programs, "tar:"+filepath.Join(dir, "part-%04d.tar")), t}
	in := album(t, n)
	start := func() *farmtest.Process { return f.StartSink("--shard-size", "200KB") }
	sink := start()
	sink.Await("collecting")
	f.StartWorker("w1", "--slots", "2")
	f.StartWorker("w2", "--slots", "2")
	ventilator := f.StartVentilator("--lease", "3s", "--size", "64,128", "--max-deliveries", "100", in)
	for kill := range kills {
		f.awaitLedger((kill + 1) * n / (kills + 4))
		sink.Kill()
		sink = start()
		sink.Await("collecting")
	}
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	entries := f.entries()
	verified := f.Start("farm", "farm", "verify", "--control", f.Control, "--out", f.Out, "--max-message", "1MB")
	verified.MustExit(0)
	verified.MustSay("800 outputs of 400 images")
	sink.Signal(syscall.SIGTERM)
	sink.MustExit(0)

	samples := readShards(t, dir)
	outputs := 0
	for _, e := range entries {
		for _, o := range e.Outputs {
			outputs++
			s, is := samples[o.Name]
			if !is || s.About.Size != o.Size || s.About.Width != o.Width || len(s.About.ThumbHash) == 0 ||
				s.About.Filename != e.Filename ||
				s.About.Source != filepath.Join(e.Source, e.Filename) {
				t.Errorf("%s is in the ledger, and in the shards there is %+v", o.Name, s)
			}
		}
	}
	if outputs != 2*n || len(samples) != outputs {
		t.Errorf("%d outputs of %d images in the ledger, %d samples in the shards", outputs, n, len(samples))
	}
	offline := f.Start("farm", "farm", "verify", "--quick", "--out", f.Out)
	offline.MustExit(0)
	again := f.Start("again", "farm", "run", "--out", f.Out, "--size", "64,128", "--http", "", in)
	again.MustExit(0)
	mustAccount(t, again, account{found: n, skipped: n})
	if after := readShards(t, dir); len(after) != len(samples) {
		t.Errorf("%d samples after a run that skipped all, not %d", len(after), len(samples))
	}
	left, err := os.ReadDir(filepath.Join(dir, ".imagefarm", "shards"))
	if err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() != "lock" }) {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// The bucket dies in the middle of the upload of a shard and returns, and the sink is killed in the middle of others.
func TestShardsOfABucketThatDiesDuringUploads(t *testing.T) {
	t.Parallel()
	needPython(t)
	n := 300
	if testing.Short() {
		n = 150
	}
	s := s3test.New(t)
	f := &farm{farmtest.New(t, programs, "tar:s3://photos/set/part-%04d.tar"), t}
	in := album(t, n)
	ledger := filepath.Join(t.TempDir(), "ledger.db")
	start := func() *farmtest.Process {
		return bucketFarm(t, s, "sink", "--results", f.Results, "--events", f.Events, "--control", f.Control, "--out", f.Out,
			"--ledger", ledger, "--http", "", "--log-format", "json", "--shard-size", "100KB")
	}
	dies := func(died <-chan struct{}) {
		t.Helper()
		select {
		case <-died:
		case <-time.After(limit):
			t.Fatal("no shard is uploaded")
		}
	}
	died := s.DieDuring("/set/")
	sink := start()
	sink.Await("collecting")
	f.StartWorker("w1", "--slots", "2")
	ventilator := f.StartVentilator("--size", "64,128", "--max-deliveries", "100", in)
	dies(died)
	sink.AwaitText("cannot be published; trying again", 1)
	died = s.DieDuring("/set/") // once it is back
	s.Down.Store(false)
	dies(died)
	sink.Kill()
	died = s.DieDuring("/set/")
	s.Down.Store(false)
	sink = start()
	dies(died) // perhaps before this sink collects
	sink.Kill()
	sink = start() // while the bucket is away
	sink.Await("collecting")
	s.Down.Store(false)
	ventilator.MustExit(0)
	mustAccount(t, ventilator, account{found: n, done: n})
	sink.Signal(syscall.SIGTERM)
	sink.MustExit(0)

	dir := t.TempDir()
	for _, key := range s.Keys("set/") {
		data, _ := s.Get(key)
		write(t, filepath.Join(dir, filepath.Base(key)), data)
	}
	if samples := readShards(t, dir); len(samples) != 2*n {
		t.Errorf("%d samples of %d images", len(samples), n)
	}
	verified := bucketFarm(t, s, "farm", "verify", "--quick", "--out", f.Out, "--ledger", ledger)
	verified.MustExit(0)
	verified.MustSay(fmt.Sprintf("%d outputs of %d images", 2*n, n))
	left, err := os.ReadDir(ledger + ".shards")
	if err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() != "lock" }) {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// A worker that writes its outputs itself cannot work for a sink that writes shards.
func TestWorkersMustSendTheOutputsOfShards(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := &farm{farmtest.New(t, programs, "tar:"+filepath.Join(dir, "set")), t}
	w := f.StartWorker("w", "--out", f.Out)
	w.MustExit(2)
	w.MustSay("only the sink writes shards")
	sink := f.StartSink()
	f.StartWorker("w", "--out", filepath.Join(dir, "elsewhere"))
	ventilator := f.StartVentilator("--max-deliveries", "1", album(t, 2))
	ventilator.MustExit(3)
	mustAccount(t, ventilator, account{found: 2, dead: 2})
	sink.Await("a delivery failed")
	if e := f.entries(); !strings.Contains(e[0].Detail, "without --out") {
		t.Errorf("the detail is %q", e[0].Detail)
	}
}
