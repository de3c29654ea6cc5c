package farm_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	"github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/ventilator/dispatch"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is an engine whose outputs are the input, and which counts. Inputs that hold "bad" are rejected, those that hold
// "fail" fail the first times.
type echo struct {
	mu    sync.Mutex
	seen  map[string]int
	fails int
}

func (e *echo) Name() string { return "echo" }

func (e *echo) Transform(_ context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.seen == nil {
		e.seen = make(map[string]int)
	}
	e.seen[string(data)]++
	switch {
	case strings.Contains(string(data), "bad"):
		return nil, outcome.Reject(outcome.Corrupt, "bad")
	case strings.Contains(string(data), "fail") && e.seen[string(data)] <= e.fails:
		return nil, errors.New("not today")
	}
	res := &engine.Result{Format: "jpeg", Width: 1, Height: 1}
	for _, v := range r.Variants {
		res.Outputs = append(res.Outputs, engine.Output{Variant: v.Name, Format: "jpeg", Width: 1, Height: 1,
			Data: []byte(v.Name + string(data))})
	}
	return res, nil
}

func (e *echo) transforms() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, k := range e.seen {
		n += k
	}
	return n
}

// images writes n small files that begin like JPEGs and returns their directory.
func images(t *testing.T, contents ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, c := range contents {
		name := filepath.Join(dir, fmt.Sprintf("d%d", i%3), fmt.Sprintf("%04d.jpg", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("\xff\xd8\xff"+c), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func numbered(n int) []string {
	s := make([]string, n)
	for i := range s {
		s[i] = fmt.Sprint("image ", i)
	}
	return s
}

// newConfig returns a farm's configuration over dir and out.
func newConfig(t *testing.T, dir, out string, e engine.Engine) farm.Config {
	t.Helper()
	store, err := blob.OpenDir(out, blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Open(filepath.Join(out, ".imagefarm", "ledger.db"), ledger.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(book.Close(), store.Close()); err != nil {
			t.Error(err)
		}
	})
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return farm.Config{
		Ventilator: ventilator.Config{Inputs: []string{dir}, Recipe: recipe.Default(),
			Dispatch: dispatch.Config{BackoffMin: time.Millisecond}, Logger: log.With("role", "ventilator")},
		Worker: worker.Config{Name: "w1", Engine: e, Slots: 2, Logger: log.With("role", "worker")},
		Sink:   sink.Config{Out: store, Ledger: book, Logger: log.With("role", "sink")},
	}
}

func run(t *testing.T, cfg farm.Config) (wire.Run, error) {
	t.Helper()
	f, err := farm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return f.Run(ctx)
}

func TestEveryImageIsTransformedOnceAndAccountedFor(t *testing.T) {
	e := &echo{}
	dir, out := images(t, numbered(200)...), t.TempDir()
	cfg := newConfig(t, dir, out, e)
	got, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got.Found != 200 || got.Done != 200 || got.Unsettled() != 0 || got.State != "finished" {
		t.Errorf("the run says %+v", got)
	}
	if n := e.transforms(); n != 200 {
		t.Errorf("%d transforms of 200 images", n)
	}
	made, err := filepath.Glob(filepath.Join(out, "d*", "*_thumbnail*.jpg"))
	if err != nil || len(made) != 600 {
		t.Errorf("%d outputs, %v", len(made), err)
	}
}

func TestRejectedImagesDoNotStopTheOthers(t *testing.T) {
	e := &echo{}
	got, err := run(t, newConfig(t, images(t, append(numbered(10), "bad 1", "bad 2")...), t.TempDir(), e))
	if err != nil {
		t.Fatal(err)
	}
	if got.Found != 12 || got.Done != 10 || got.Rejected != 2 || got.Unsettled() != 0 {
		t.Errorf("the run says %+v", got)
	}
}

func TestFailedTasksAreDeliveredAgain(t *testing.T) {
	e := &echo{fails: 2}
	got, err := run(t, newConfig(t, images(t, append(numbered(5), "fail 1")...), t.TempDir(), e))
	if err != nil {
		t.Fatal(err)
	}
	if got.Done != 6 || got.Redeliveries != 2 {
		t.Errorf("the run says %+v", got)
	}
}

func TestTasksThatFailForEverBecomeDeadLetters(t *testing.T) {
	e := &echo{fails: 1000}
	cfg := newConfig(t, images(t, append(numbered(5), "fail 1")...), t.TempDir(), e)
	cfg.Ventilator.Dispatch.MaxDeliveries = 3
	got, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got.Done != 5 || got.Dead != 1 || got.Unsettled() != 0 {
		t.Errorf("the run says %+v", got)
	}
	if n := e.transforms(); n != 5+3 {
		t.Errorf("%d transforms", n)
	}
}

func TestSecondRunSkipsWhatIsUnchanged(t *testing.T) {
	dir, out := images(t, append(numbered(20), "bad")...), t.TempDir()
	e := &echo{}
	cfg := newConfig(t, dir, out, e)
	if _, err := run(t, cfg); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(out, "d0", "0000_thumbnail64.jpg")); err != nil {
		t.Fatal(err)
	}
	before := e.transforms()
	got, err := run(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got.Found != 21 || got.Skipped != 19 || got.Done != 1 || got.Rejected != 1 || got.Unsettled() != 0 {
		t.Errorf("the second run says %+v", got)
	}
	if n := e.transforms() - before; n != 1 {
		t.Errorf("the second run did %d transforms, not that of the one whose output was gone", n)
	}
	if _, err := os.Stat(filepath.Join(out, "d0", "0000_thumbnail64.jpg")); err != nil {
		t.Error(err)
	}
}
