//go:build linux

package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/blob"
	"github.com/imagefarm/imagefarm/pkg/engine"
	roles "github.com/imagefarm/imagefarm/pkg/farm"
	"github.com/imagefarm/imagefarm/pkg/isolate"
	"github.com/imagefarm/imagefarm/pkg/ledger"
	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/sink"
	"github.com/imagefarm/imagefarm/pkg/ventilator"
	"github.com/imagefarm/imagefarm/pkg/wire"
	"github.com/imagefarm/imagefarm/pkg/worker"
)

// start of a JPEG: what a ventilator takes for an image.
const soi = "\xff\xd8\xff"

// poison is an engine that does what its image says; the outputs of all others are the image.
type poison struct{ held [][]byte }

func openPoison(string, []byte, isolate.Libraries) (engine.Engine, error) { return &poison{}, nil }

func (p *poison) Name() string { return "poison" }

func (p *poison) Transform(_ context.Context, data []byte, r recipe.Recipe) (*engine.Result, error) {
	switch strings.TrimPrefix(string(data), soi) {
	case "hang":
		select {}
	case "spin":
		// By many threads: one gets too little processor time on a busy machine, and the child counts as starved.
		const threads = 32
		runtime.GOMAXPROCS(threads)
		for range threads {
			go func() {
				for i := 0; ; i++ {
					_ = i
				}
			}()
		}
		select {}
	case "eat": // piece by piece
		for {
			p.eat(1 << 20)
		}
	case "gulp": // all at once
		p.eat(8 << 30)
	case "panic":
		go panic("a goroutine that nobody can recover")
		select {}
	case "exit":
		os.Exit(0)
	case "fault":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		select {}
	case "reject":
		return nil, outcome.Reject(outcome.Truncated, "it ends early")
	}
	res := &engine.Result{Format: "jpeg", Width: 1, Height: 1}
	for _, v := range r.Variants {
		res.Outputs = append(res.Outputs,
			engine.Output{Variant: v.Name, Format: "jpeg", Width: 1, Height: 1, Data: data})
	}
	return res, nil
}

func (p *poison) eat(n int) {
	b := make([]byte, n)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	p.held = append(p.held, b)
}

// Images that hang, eat memory, or take their process down, among many that do not: each is rejected for its own
// reason, and all others are made.
func TestPoisonIsRejectedAndItsNeighboursAreMade(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	want := map[string]outcome.Reason{
		"hang": outcome.Timeout, "spin": outcome.Timeout, "eat": outcome.OutOfMemory, "gulp": outcome.OutOfMemory,
		"panic": outcome.Crashed, "exit": outcome.Crashed, "fault": outcome.Crashed, "reject": outcome.Truncated,
	}
	const good = 200
	for i := range good {
		write(t, filepath.Join(dir, fmt.Sprintf("d%02d", i/25), fmt.Sprintf("%03d.jpg", i)),
			fmt.Append(nil, soi, "photo ", i))
	}
	at := 0
	for word := range want {
		write(t, filepath.Join(dir, fmt.Sprintf("d%02d", at), "012-"+word+".jpg"), []byte(soi+word))
		at++
	}
	run, entries := runWithPoison(t, dir, out)
	if run.Found != int64(good+len(want)) || run.Done != good || run.Rejected != int64(len(want)) ||
		run.Unsettled() != 0 {
		t.Errorf("the run says %+v", run)
	}
	for _, e := range entries {
		_, word, bad := strings.Cut(strings.TrimSuffix(filepath.Base(e.Filename), ".jpg"), "-")
		switch {
		case !bad && e.Outcome != outcome.Done:
			t.Errorf("%s, which is harmless, is %s: %s %s", e.Filename, e.Outcome, e.Reason, e.Detail)
		case bad && (e.Outcome != outcome.Rejected || e.Reason != want[word]):
			t.Errorf("%s is %s for %q (%s), not rejected for %s", e.Filename, e.Outcome, e.Reason, e.Detail, want[word])
		case bad && e.Detail == "":
			t.Errorf("%s: %s without a word", e.Filename, e.Reason)
		}
		for _, o := range e.Outputs {
			if data, err := os.ReadFile(filepath.Join(out, o.Name)); err != nil ||
				!strings.HasPrefix(string(data), soi+"photo ") {
				t.Errorf("%s holds %q, %v", o.Name, data, err)
			}
		}
	}
	if len(entries) != good+len(want) {
		t.Errorf("%d entries", len(entries))
	}
}

// runWithPoison runs a farm in this process, whose children transform; it returns the run and the whole ledger.
func runWithPoison(t *testing.T, dir, out string) (wire.Run, []ledger.Entry) {
	t.Helper()
	store, err := blob.OpenDir(out, blob.Config{})
	if err != nil {
		t.Fatal(err)
	}
	book, err := ledger.Open(filepath.Join(out, ".imagefarm", "ledger.db"), ledger.Config{})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	children, err := isolate.New(isolate.Config{
		Engine: "poison", Slots: 2, TaskTimeout: 6 * time.Second, TaskMemory: 128 << 20, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	f, err := roles.New(roles.Config{
		Ventilator: ventilator.Config{Inputs: []string{dir}, Recipe: recipe.Default(), Logger: log},
		Worker:     worker.Config{Name: "w1", Engine: children, Slots: 2, Logger: log},
		Sink:       sink.Config{Out: store, Ledger: book, Logger: log},
	})
	if err != nil {
		t.Fatal(err)
	}
	working, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- children.Run(working) }()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	run, err := f.Run(ctx)
	stop()
	var entries []ledger.Entry
	walkErr := book.Walk(context.Background(), 0, func(e ledger.Entry) error {
		entries = append(entries, e)
		return nil
	})
	if err := errors.Join(err, <-over, walkErr, book.Close(), store.Close()); err != nil {
		t.Fatal(err)
	}
	return run, entries
}
