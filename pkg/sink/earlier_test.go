package sink

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/imagefarm/imagefarm/pkg/outcome"
	"github.com/imagefarm/imagefarm/pkg/recipe"
	"github.com/imagefarm/imagefarm/pkg/taskid"
	"github.com/imagefarm/imagefarm/pkg/wire"
)

// canonical returns the canonical text of variants.
func canonical(t *testing.T, variants ...string) string {
	t.Helper()
	r, err := recipe.Parse(variants...)
	if err != nil {
		t.Fatal(err)
	}
	return r.String()
}

// made is a worker's result of the variants named in outputs, of d/1.jpg.
func made(input taskid.Input, run, text string, only []string, outputs ...string) *wire.Result {
	r := &wire.Result{ID: input.ID(text).String(), Filename: "d/1.jpg", Outcome: outcome.Done, ResultInfo: wire.ResultInfo{
		Worker: "w", Run: run, Delivery: 1, Recipe: text, Only: only, InputBytes: 100,
	}}
	if len(only) > 0 {
		r.Input = []byte(input)
	}
	for _, name := range outputs {
		r.Outputs = append(r.Outputs, wire.Output{Name: "d/1_" + name + ".jpg", Width: 1, Height: 1,
			Data: []byte("pixels of " + name)})
	}
	return r
}

func TestOnlyUnknownVariantsAreMade(t *testing.T) {
	s := newStage(t)
	input := taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(1, 0))
	thumb, medium, small := "thumb=fit:64x64", "medium=fit:500x500", "medium=fit:400x400"
	s.send(made(input, "r1", canonical(t, thumb), nil, "thumb").Encode())
	s.await(wire.TopicTaskDone)

	ask := func(run string, of taskid.Input, variants ...string) wire.KnownVariants {
		t.Helper()
		known, err := s.client.Variants(t.Context(), wire.VariantsArgs{Run: run, Recipe: canonical(t, variants...),
			Images: []wire.VariantsOf{{Filename: "d/1.jpg", Input: []byte(of)}}})
		if err != nil {
			t.Fatal(err)
		}
		return known[0]
	}
	if known := ask("r2", input, thumb, medium); !slices.Equal(known.Names, []string{"thumb"}) || known.Receipt != nil {
		t.Errorf("of another size too: %+v", known)
	}
	for what, known := range map[string]wire.KnownVariants{
		"changed image":   ask("r2", taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(2, 0)), thumb, medium),
		"changed quality": ask("r2", input, thumb+",quality:50"),
		"another name":    ask("r2", input, "other=fit:64x64"),
	} {
		if known.Names != nil || known.Receipt != nil {
			t.Errorf("%s: %+v", what, known)
		}
	}

	both := canonical(t, thumb, medium)
	s.send(made(input, "r2", both, []string{"medium"}, "medium").Encode())
	r := s.await(wire.TopicTaskDone).(*wire.Receipt)
	if len(r.Outputs) != 2 || r.Outputs[0].Name != "d/1_thumb.jpg" || !r.Outputs[0].Earlier || r.Outputs[1].Earlier {
		t.Errorf("the receipt has %+v", r.Outputs)
	}
	counts, err := s.ledger.Counts("r2")
	if err != nil || counts.Done != 1 || counts.Outputs != 1 || counts.OutputBytes != int64(len("pixels of medium")) {
		t.Errorf("the run counts %+v, %v", counts, err)
	}
	settled := func(variants ...string) bool {
		t.Helper()
		id := input.ID(canonical(t, variants...))
		got, err := s.client.Settled(t.Context(), []taskid.ID{id}, true)
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Receipts) == 1
	}
	if !settled(thumb, medium) {
		t.Error("the completed entry does not settle its task")
	}

	// Another order, and a part, have nothing to make. Who asks without a run changes nothing.
	for _, run := range []string{"", "r3"} {
		for _, variants := range [][]string{{medium, thumb}, {medium}} {
			if known := ask(run, input, variants...); known.Receipt == nil || len(known.Names) != len(variants) {
				t.Errorf("%q: %+v", variants, known)
			}
			if is := settled(variants...); is != (run != "") {
				t.Errorf("run %q asked about %q, which is settled: %v", run, variants, is)
			}
		}
	}
	if counts, err := s.ledger.Counts("r3"); err != nil || counts.Settled() != 0 {
		t.Errorf("a run that made nothing counts %+v, %v", counts, err)
	}

	// A variant of that name, made otherwise, takes the file; then the first one must be made again, and nothing else.
	s.send(made(input, "r4", canonical(t, small), nil, "medium").Encode())
	s.await(wire.TopicTaskDone)
	if settled(thumb, medium) {
		t.Error("a task is settled though one of its outputs was replaced")
	}
	if known := ask("r5", input, thumb, medium); !slices.Equal(known.Names, []string{"thumb"}) {
		t.Errorf("after one was replaced: %+v", known)
	}
	if err := os.Remove(filepath.Join(s.out, "d", "1_thumb.jpg")); err != nil {
		t.Fatal(err)
	}
	if known := ask("r5", input, thumb, small); !slices.Equal(known.Names, []string{"medium"}) {
		t.Errorf("after one was removed: %+v", known)
	}
	if err := s.ledger.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestPartOfATaskFailsWhenTheRestIsGone(t *testing.T) {
	s := newStage(t)
	input := taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(1, 0))
	both := canonical(t, "thumb=fit:64x64", "medium=fit:500x500")
	s.send(made(input, "r1", both, []string{"medium"}, "medium").Encode())
	if r := s.await(wire.TopicTaskFailed).(*wire.Receipt); r.Detail != `the earlier output "d/1_thumb.jpg" is gone` {
		t.Errorf("%+v", r)
	}
	if names, err := filepath.Glob(filepath.Join(s.out, "d", "*")); err != nil || names != nil {
		t.Errorf("written: %q, %v", names, err)
	}
}

func TestForgedPartsAreRefused(t *testing.T) {
	s := newStage(t)
	input := taskid.InputOfMetadata("d/1.jpg", 100, time.Unix(1, 0))
	both := canonical(t, "thumb=fit:64x64", "medium=fit:500x500")
	another := made(input, "r1", both, []string{"medium"}, "medium")
	another.Input = []byte(taskid.InputOfMetadata("d/2.jpg", 100, time.Unix(1, 0)))
	for _, r := range []*wire.Result{
		another,
		made(input, "r1", both, []string{"medium"}, "thumb"),
		made(input, "r1", both, []string{"medium"}),
		made(input, "r1", both, []string{"large"}, "medium"),
	} {
		s.send(r.Encode())
	}
	s.send(made(input, "r1", both, nil, "thumb", "medium").Encode())
	s.await(wire.TopicTaskDone)
	if status, err := s.client.Status(t.Context()); err != nil || status.Refused != 4 || status.Done != 1 {
		t.Errorf("%+v, %v", status, err)
	}
}
